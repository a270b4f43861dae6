"""To whom a letter goes, as it is written: in front matter, or as a named segment. Pure.

    [audience]
    districts = ["bromma", "kista"]
    topics = ["bostad"]

    [[audience.exclude]]
    segment = "styrelsen"

What stands in one table holds together; whoever one of the `include` describes is in it too, and whoever one of the
`exclude` describes is not.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from mailer.config.values import Language, Slug
from mailer.sentences import N_

MOST_MEMBERS = 500  # named one by one
Answer = Literal["yes", "maybe", "no"]


def _one_or_more(value: object) -> object:
    """Take "bromma" and "bromma, kista" for lists."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_more), Field(max_length=200)]
Languages = Annotated[tuple[Language, ...], BeforeValidator(_one_or_more)]
Answers = Annotated[tuple[Answer, ...], BeforeValidator(_one_or_more)]


class Condition(BaseModel):
    """What is true of somebody. Empty: of everybody.

    districts      slugs or names; sub_districts: those inside them count, too
    topics         slugs; whoever chose none follows all of them
    members        "17", "id:17", "number:1042" or an address; stored as ids
    answers        to the event that the letter is about
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    districts: Names = ()
    sub_districts: bool = True
    topics: Names = ()
    languages: Languages = ()
    ground: Literal["member", "supporter"] | None = None
    segment: Slug | None = None
    members: Annotated[tuple[str, ...], BeforeValidator(_one_or_more), Field(max_length=MOST_MEMBERS)] = ()
    answers: Answers = ()

    @property
    def says_nothing(self) -> bool:
        return not any(getattr(self, name) for name in Condition.model_fields if name != "sub_districts")


class Rule(Condition):
    """An audience: this condition, who is in it as well, and who is not."""

    include: tuple[Condition, ...] = ()
    exclude: tuple[Condition, ...] = ()

    @model_validator(mode="after")
    def _nobody_by_mistake(self) -> "Rule":
        if any(condition.says_nothing for condition in (*self.include, *self.exclude)):
            raise ValueError(N_("an empty condition would mean everybody"))
        return self

    @property
    def is_for_all(self) -> bool:
        """Whether it is everyone there is to write to, told in no narrower words."""
        return self.says_nothing and not self.exclude

    def districts_of_all(self, segments: "Mapping[str, Rule]") -> frozenset[str] | None:
        """Return the districts, one of which everybody in it chose, or one inside; None: some need not have chosen any.

        segments  the rules of named segments
        """
        found: frozenset[str] = frozenset()
        for condition in (self, *self.include):
            inner = segments[condition.segment].districts_of_all(segments) if condition.segment else None
            bound = frozenset(condition.districts) or inner
            if not bound:
                return None
            found |= bound
        return found

    def conditions(self) -> Iterator[Condition]:
        yield self
        yield from self.include
        yield from self.exclude
