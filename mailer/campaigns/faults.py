"""What is wrong with a letter, and where: a sentence that names the file, the line and the column. Pure."""

from dataclasses import dataclass

from mailer.errors import Mistake
from mailer.sentences import N_, Sentence

_WHERE = N_("{file}, line {line}, column {column}: {reason}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a letter something stands; lines and columns are counted from 1."""

    file: str
    line: int
    column: int = 1


class WrongText(Mistake):
    """Something in a letter cannot be used; nothing of it is kept or sent."""

    def __init__(self, sentence: str, /, *, at: Place, **values: object) -> None:
        super().__init__(_WHERE, file=at.file, line=at.line, column=at.column, reason=Sentence(sentence, values))
        self.at = at
        self.reason = Sentence(sentence, values)
