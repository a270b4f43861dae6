"""Column types: ids that grow, words stored as words, texts stored sealed."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NoReturn

from sqlalchemy import BigInteger, ColumnElement, Dialect, Enum, Integer, LargeBinary
from sqlalchemy.sql.operators import OperatorType, eq, is_, is_not
from sqlalchemy.types import TypeDecorator

from subscribers.sealed import open_sealed, seal

# SQLite counts up only an INTEGER key by itself; PostgreSQL wants 64 bits for what grows.
BigId = BigInteger().with_variant(Integer, "sqlite")


def stored(words: type[StrEnum]) -> Enum:
    """Store the word itself, as text: adding a word needs no migration, and the table reads as the code does."""
    return Enum(
        words,
        native_enum=False,
        create_constraint=False,
        length=16,
        values_callable=lambda e: [w.value for w in e],
    )


class Sealed(TypeDecorator[str]):
    """A text column that is stored sealed. Comparing, searching or ordering by it raises."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column

    class Comparator(TypeDecorator.Comparator[str]):
        def operate(self, op: OperatorType, *other: Any, **kwargs: Any) -> Any:
            # SQLAlchemy keeps result columns in dicts, where a column meets itself: that is no query.
            itself = op is eq and isinstance(other[0], ColumnElement) and hash(other[0]) == hash(self.expr)
            if op not in (is_, is_not) and not itself:
                _refuse()
            return super().operate(op, *other, **kwargs)

        def reverse_operate(self, op: OperatorType, other: Any, **kwargs: Any) -> Any:
            del op, other, kwargs
            _refuse()

    comparator_factory = Comparator

    # The processors themselves, not what wraps them: an import seals and opens four values a member.
    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], bytes | None]:
        del dialect
        return lambda text: None if text is None else seal(text, self.column)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[bytes | None], str | None]:
        del dialect, coltype
        return lambda value: None if value is None else open_sealed(value, self.column)


def _refuse() -> NoReturn:
    raise TypeError("a sealed column cannot be compared or ordered: look it up by its keyed hash")
