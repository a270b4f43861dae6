import re

from mailer.config.news import Source
from mailer.config.slugs import Named, named
from mailer.config.values import Section
from tests.builders import some_settings


def test_every_district_and_topic_is_found_with_its_key():
    settings = some_settings()
    source = Source(url="https://example.org", districts=("bromma", "farsta"), topics=("skola",))

    found = set(named(settings.model_copy(update={"sources": {"a": source}})))

    assert found == {
        Named("publications.weekly.districts", "bromma"),
        Named("sources.a.districts", "bromma"),
        Named("sources.a.districts", "farsta"),
        Named("sources.a.topics", "skola"),
    }


def every_section(section: type[Section]) -> set[type[Section]]:
    return {section, *(deeper for below in section.__subclasses__() for deeper in every_section(below))}


def test_no_key_for_districts_or_topics_takes_what_is_not_looked_up():
    """A new section may forget it: then nobody would look."""
    keys = {
        f"{section.__name__}.{name}": str(field.annotation)
        for section in every_section(Section)
        for name, field in section.model_fields.items()
        if name in {"district", "districts", "topic", "topics"}
    }

    assert {"Publication.districts", "Source.topics"} <= keys.keys()
    assert [key for key, annotation in keys.items() if not re.search("DistrictSlug|TopicSlug", annotation)] == []
