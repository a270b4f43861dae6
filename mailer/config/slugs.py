"""Districts and topics that config.toml names. Whether there are such is for whoever has the database to say."""

from collections.abc import Iterator, Mapping
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel

from mailer.config.values import Slug


class DistrictSlug(str):
    __slots__ = ()


class TopicSlug(str):
    __slots__ = ()


# A key of these types is looked up in the reference lists before anything is done with it.
KnownDistrict = Annotated[Slug, AfterValidator(DistrictSlug)]
KnownTopic = Annotated[Slug, AfterValidator(TopicSlug)]


class Named(NamedTuple):
    """A slug, and the dotted key of the config that it stands in."""

    key: str
    slug: DistrictSlug | TopicSlug


def named(value: object, *path: str) -> Iterator[Named]:
    """Yield every district and topic that settings, or a part of them at `path`, name."""
    match value:
        case DistrictSlug() | TopicSlug():
            yield Named(".".join(path), value)
        case BaseModel():
            for key, below in value:
                yield from named(below, *path, key)
        case Mapping():
            for key, below in value.items():
                yield from named(key, *path)
                yield from named(below, *path, str(key))
        case tuple() | frozenset():
            for below in value:
                yield from named(below, *path)
