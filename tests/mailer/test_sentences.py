from mailer.errors import Mistake, ProviderDown
from mailer.i18n import translations
from mailer.sentences import N_, Word, filled

SWEDISH = translations("sv").gettext


def test_a_value_that_is_a_sentence_is_translated_with_the_one_it_stands_in():
    values = {"mailing": "paused", "state": Word("paused"), "reason": N_("A person paused it.")}

    said = filled("The mailing {mailing} is {state}: {reason}", values, SWEDISH)

    assert said == "Utskicket paused är pausat: En person pausade det."


def test_a_sentence_without_values_keeps_its_braces():
    assert filled("select = { item }", {}, SWEDISH) == "select = { item }"
    assert str(Mistake("select = { item }")) == "select = { item }"


def test_a_servers_words_may_hold_anything():
    assert ProviderDown("550 {x} {", code="5.7.8").detail == "550 {x} {"


def test_a_value_is_never_read_as_a_sentence():
    assert filled("{key}: {reason}", {"key": "{reason}", "reason": "{key}"}, SWEDISH) == "{reason}: {key}"
