from datetime import timedelta
from pathlib import Path

import pytest

from mailer import config
from mailer.errors import Mistake
from mailer.resources import resource

SAMPLE = resource("config.toml").read_text(encoding="utf-8")


def load(tmp_path: Path, text: str, **environ: str) -> config.Settings:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return config.load(path, environ)


def test_every_optional_key_of_the_sample_has_its_default_value(tmp_path: Path):
    sample = load(tmp_path, SAMPLE)

    for name in ("web", "digest", "outbox", "feedback", "news", "members"):
        assert getattr(sample, name) == config.Settings.model_fields[name].default, name


def test_the_sample_names_every_key_of_its_sections(tmp_path: Path):
    sample = load(tmp_path, SAMPLE)

    for name in ("site", "web", "digest", "outbox", "feedback", "news", "members"):
        section = getattr(sample, name)
        assert section.model_fields_set == set(type(section).model_fields), name


def test_a_span_is_a_number_and_a_unit(tmp_path: Path):
    assert load(tmp_path, SAMPLE).digest.fresh_for == timedelta(weeks=3)


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ('forward_to = ""', 'forward_to = "kansli"', "feedback.forward_to.*an address such as"),
        ('bounce_domain = ""', 'bounce_domain = "a b"', "feedback.bounce_domain.*a domain such as"),
        ('draft = "Monday 08:00"', 'draft = "Måndag 8"', "digest.draft.*weekday in English"),
        ('fresh_for = "3 weeks"', 'fresh_for = "lagom"', "digest.fresh_for.*a number and a unit"),
        ("per_section = 6", "per_sektion = 6", "digest.per_sektion: there is no such key"),
        ("port = 8080", "port = 99999", "web.port"),
        ("[site]", "[site", "not valid TOML"),
        ('time_zone = "Europe/Stockholm"', 'time_zone = "Stockholm"', "site.time_zone.*time zone"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(tmp_path: Path, right: str, wrong: str, says: str):
    assert right in SAMPLE

    with pytest.raises(Mistake, match=says):
        load(tmp_path, SAMPLE.replace(right, wrong, 1))


def test_the_environment_is_laid_over_the_file(tmp_path: Path):
    settings = load(tmp_path, SAMPLE, UTSKICK_WEB__PORT="81", UTSKICK_PROVIDERS__SMTP__PASSWORD="hemligt")

    assert settings.web.port == 81
    assert settings.providers["smtp"].own["password"] == "hemligt"


def test_the_environment_writes_a_list_with_commas(tmp_path: Path):
    settings = load(tmp_path, SAMPLE, UTSKICK_OUTBOX__PROVIDERS="smtp, catch", UTSKICK_NEWS__ALLOW_HOSTS="intra")

    assert settings.outbox.providers == ("smtp", "catch")
    assert settings.news.allow_hosts == ("intra",)


def test_a_missing_file_says_what_to_run(tmp_path: Path):
    with pytest.raises(Mistake, match="utskick init"):
        config.load(tmp_path / "none.toml", {})


def test_settings_that_are_shown_show_no_password(tmp_path: Path):
    environ = {"UTSKICK_PROVIDERS__SMTP__PASSWORD": "hush"}
    shown = repr(load(tmp_path, 'database = "postgresql+psycopg://me:hush@db/u"\n' + SAMPLE, **environ))

    assert "hush" not in shown


def signed(domain: str, selector: str = "2026a") -> str:
    return f'{SAMPLE}\n[dkim."{domain}"]\nselector = "{selector}"\nkey = "dkim/key.pem"\n'


@pytest.mark.parametrize("domain", ["nyhet.example.org", "example.org", "NYHET.example.org"])
def test_a_key_for_the_domain_of_from_or_one_above_it_will_do(tmp_path: Path, domain: str):
    assert list(load(tmp_path, signed(domain)).dkim) == [domain.lower()]


def test_a_key_for_a_domain_in_its_own_letters_is_found(tmp_path: Path):
    text = signed("nyhet.malmö.se").replace("@nyhet.example.org", "@nyhet.malmö.se")

    assert list(load(tmp_path, text).dkim) == ["nyhet.xn--malm-8qa.se"]


@pytest.mark.parametrize("domain", ["annat.example.org", "het.example.org", "studs.nyhet.example.org", "example.com"])
def test_a_letter_that_no_key_is_aligned_with_is_a_mistake_that_names_the_domain(tmp_path: Path, domain: str):
    with pytest.raises(Mistake, match=r'no key for nyhet\.example\.org.*publications\.weekly.*\[dkim\."nyhet'):
        load(tmp_path, signed(domain))


@pytest.mark.parametrize(
    ("domain", "selector", "says"),
    [
        ("inte en domän", "2026a", "dkim.*write a domain"),
        ("localhost", "2026a", "dkim.*write a domain"),
        ("nyhet.example.org", "2026 a", "dkim.*selector.*characters"),
    ],
)
def test_a_key_that_cannot_be_found_in_dns_is_named(tmp_path: Path, domain: str, selector: str, says: str):
    with pytest.raises(Mistake, match=says):
        load(tmp_path, signed(domain, selector))


def test_two_publications_with_one_list_id_are_a_mistake(tmp_path: Path):
    weekly, _, _ = SAMPLE.partition("\n[publications.weekly]\n")[2].partition("\n\n")
    twin = f"{SAMPLE}\n[publications.calendar]\n{weekly}\n"

    with pytest.raises(Mistake, match="list_id veckobrev"):
        load(tmp_path, twin)

    load(tmp_path, twin.replace('list_id = "veckobrev.', 'list_id = "kalender.', 1))


def test_nothing_goes_out_as_statutory_by_picking_the_wrong_name(tmp_path: Path):
    publications, heading, rest = SAMPLE.partition("\n[digest]")
    calls = publications.replace("# [publications.", "[publications.")
    for key in ("events_only", "name", "from_name", "from_address", "reply_to", "list_id", "stream"):
        calls = calls.replace(f"# {key} = ", f"{key} = ")
    calls += heading + rest
    settings = load(tmp_path, calls)
    settings.require_stream("weekly", "bulk")
    settings.require_stream("calls", "statutory")

    for publication, stream in (("calls", "bulk"), ("weekly", "statutory"), ("none", "bulk")):
        with pytest.raises(Mistake, match="publication"):
            settings.require_stream(publication, stream)
    for key in ('publication = "weekly"', 'publications = ["weekly"]'):
        with pytest.raises(Mistake, match="nobody subscribes to that"):
            load(tmp_path, calls.replace(key, key.replace("weekly", "calls")))
