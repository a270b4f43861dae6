"""Who a letter goes to, and what of it is theirs."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache, lru_cache
from typing import NamedTuple

from mailer.i18n import translations
from mailer.message import slots
from mailer.message.characters import one_line
from mailer.message.skeleton import Columns
from mailer.message.slots import Encode, Slot, or_else
from mailer.render.personal import Blank, Known, with_fallback


class Person(NamedTuple):
    """One of those an address belongs to. A link that the letter does not use may be empty."""

    name: str
    unsubscribe: str = ""
    preferences: str = ""
    act: str = ""


class Shape(NamedTuple):
    """What recipients must have in common to share a skeleton."""

    persons: int
    view_online: bool


class Recipient(NamedTuple):
    """All that is a recipient's own in one letter.

    address      local@domain
    persons      whom the letter greets: one, or a household
    message_id   unique@domain, the same in every attempt
    date         aware; the same in every attempt
    one_click    link of List-Unsubscribe; may be empty in a letter to one
    mailto       the same as a mailto: URI; empty when nobody reads such mail
    view_online  link to the letter as a page, or empty
    """

    address: str
    persons: tuple[Person, ...]
    message_id: str
    date: datetime
    one_click: str = ""
    mailto: str = ""
    view_online: str = ""

    @property
    def shape(self) -> Shape:
        return Shape(len(self.persons), bool(self.view_online))


# Who reads a letter as a web page.
NOBODY = Recipient(address="", persons=(), message_id="", date=datetime(1970, 1, 1, tzinfo=UTC))


def blanks(shape: Shape) -> dict[str, object]:
    """Return what templates see while nobody is known: greeting, names, persons, view_online."""
    return _template_values(shape, Blank)


def knowns(shape: Shape, values: Mapping[str, str]) -> dict[str, object]:
    """Return what templates see of one recipient."""
    return _template_values(shape, lambda key: Known(key, values[key]))


def _template_values(shape: Shape, make: Callable[[str], object]) -> dict[str, object]:
    return {
        "greeting": make("greeting"),
        "names": make("to_name"),
        "persons": [{field: make(f"{field}.{number}") for field in Person._fields} for number in range(shape.persons)],
        "view_online": make("view_online") if shape.view_online else None,
    }


class Readers(NamedTuple):
    """Recipients of one person each: the columns of Recipient and Person, one value for all where it is a str."""

    address: Sequence[str]
    name: Sequence[str]
    message_id: Sequence[str]
    date: datetime
    unsubscribe: Sequence[str]
    preferences: Sequence[str]
    mailto: Sequence[str]
    act: Sequence[str] | str = ""
    view_online: str = ""


def columns_of(readers: Readers, *, language: str) -> Columns:
    """Return the values of every slot, as `values_of` does for one."""
    called = [_called((one_line(name),), language) for name in readers.name]
    to_names, greetings, names = zip(*called, strict=True)
    return {
        "to_name": to_names,
        "to_address": readers.address,
        "message_id": readers.message_id,
        "date": _date(readers.date),
        "one_click": readers.unsubscribe,
        "mailto": readers.mailto,
        "view_online": readers.view_online,
        "greeting": greetings,
        "name.0": names,
        "unsubscribe.0": readers.unsubscribe,
        "preferences.0": readers.preferences,
        "act.0": readers.act,
    }


def values_of(recipient: Recipient, *, language: str) -> dict[str, str]:
    """Return the value of every slot. Names are cleaned; links and addresses are judged by their slots.

    raises  ValueError for a date that is not aware
    """
    names = tuple([one_line(person.name) for person in recipient.persons])
    to_name, greeting, *called = _called(names, language)
    values = {
        "to_name": to_name,
        "to_address": recipient.address,
        "message_id": recipient.message_id,
        "date": _date(recipient.date),
        "one_click": recipient.one_click,
        "mailto": recipient.mailto,
        "view_online": recipient.view_online,
        "greeting": greeting,
    }
    for number, (person, name) in enumerate(zip(recipient.persons, called, strict=True)):
        values |= zip(_keys_of(number), (name, person.unsubscribe, person.preferences, person.act), strict=True)
    return values


@cache
def _keys_of(number: int) -> tuple[str, ...]:
    """Return the slots of one person, in the order of a Person's fields."""
    return tuple(f"{field}.{number}" for field in Person._fields)


@lru_cache(maxsize=1024)
def in_html(mark: str) -> Slot:
    """Return the slot of what a template put out in HTML."""
    return _slot(mark, link=slots.url_in_html, text=slots.html_text)


@lru_cache(maxsize=1024)
def in_text(mark: str) -> Slot:
    """Return the slot of what a template put out in the text part."""
    return _slot(mark, link=slots.url_in_text, text=slots.plain_text)


def _slot(mark: str, *, link: Encode, text: Encode) -> Slot:
    key, fallback = with_fallback(mark)
    encode = link if _is_link(key) else text
    return Slot(key, or_else(encode, fallback), fallback) if fallback else Slot(key, encode)


def _is_link(key: str) -> bool:
    return key.startswith(("unsubscribe.", "preferences.", "act.", "view_online"))


@lru_cache(maxsize=4096)
def _called(names: tuple[str, ...], language: str) -> tuple[str, ...]:
    """Return what To and what the greeting call them by, and then each by itself. Most names are common."""
    to_name = _together([name for name in names if name], language)
    each = [name or _nameless(number, language) for number, name in enumerate(names, 1)]
    return to_name, _greeting(to_name, language), *each


def _together(names: list[str], language: str) -> str:
    if len(names) < 2:  # noqa: PLR2004 - one needs no "and"
        return "".join(names)
    between = translations(language).gettext("and")
    return f"{', '.join(names[:-1])} {between} {names[-1]}"


def _greeting(names: str, language: str) -> str:
    if not names:
        return translations(language).gettext("Hello!")
    return translations(language).gettext("Hello %(names)s!") % {"names": names}


def _nameless(number: int, language: str) -> str:
    return translations(language).gettext("Reader %(number)s") % {"number": number}


@lru_cache(maxsize=256)
def _date(date: datetime) -> str:
    if date.utcoffset() is None:
        raise ValueError("the date of a letter must be aware")
    return format_datetime(date)
