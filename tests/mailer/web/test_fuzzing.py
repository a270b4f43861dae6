"""Every route of the site's OpenAPI, asked for what no browser would ask, with links of ours and with invented ones."""

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case

from mailer.links import Purpose, hour_of
from tests.mailer.events.saying import a_shift
from tests.mailer.web.conftest import ANNA, CECILIA, LETTER, Site
from tests.mailer.web.letters import VARIANT, a_letter_was_sent
from tests.mailer.web.test_calendar import hold

FEW = settings(
    max_examples=100,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
A_ROUTE = settings(FEW, max_examples=5)
NAMES = ("choice", "nonce", "until", "district", "topic", "language", "cadence-weekly", "address", "given_name", "mail")
NAMES += ("companions", "shift")
CHOICES = ("leave", "leave-everything", "monthly", "weekly", "pause", "resume", "undo", "events", "name", "address")
CHOICES += ("yes", "maybe", "no", "take", "drop", "offer", "keep")
FIELDS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(CHOICES) | st.text(max_size=30) | st.dates().map(str)), max_size=6
)


def tokens_of(site: Site) -> list[str]:
    """Return a valid token of every purpose."""
    make, hour = site.app.links.tokens.make, hour_of(site.watch())
    letters = [make(purpose, CECILIA, LETTER) for purpose in Purpose]
    return [*letters, *(make(purpose, ANNA, hour) for purpose in Purpose), make(Purpose.VIEW, VARIANT, LETTER)]


def test_schemathesis_finds_nothing_that_breaks(site: Site):
    a_letter_was_sent(site)
    hold(site, capacity=1, shifts=(a_shift(needs=1),))
    site.lift_limits()
    tokens = tokens_of(site)
    schema = schemathesis.openapi.from_dict(site.web.openapi())
    operations = [found.ok() for found in schema.get_all_operations()]
    assert {operation.path for operation in operations} == site.web.openapi()["paths"].keys()

    def ask(case: Case, token: str | None) -> None:
        if token and "token" in (case.path_parameters or {}):
            case.path_parameters["token"] = token
        asked = case.as_transport_kwargs(base_url="http://testserver")
        del asked["cookies"]  # there are none
        assert site.client.request(**asked).status_code != 500  # 503 says that no worker is there

    for operation in operations:  # each has its own share: of all together the dice would leave some out
        A_ROUTE(given(case=operation.as_strategy(), token=st.none() | st.sampled_from(tokens))(ask))()


def test_no_form_breaks_a_page_or_shows_where_it_broke(site: Site):
    a_letter_was_sent(site)
    hold(site, capacity=1, shifts=(a_shift(needs=1),))
    site.lift_limits()
    paths = [path for path, methods in site.web.openapi()["paths"].items() if "post" in methods and "{token}" in path]
    nonces = [site.web.state.house.nonce_for(member) for member in (ANNA, CECILIA)]
    assert len(paths) > 4

    @FEW
    @given(
        path=st.sampled_from(paths), token=st.sampled_from(tokens_of(site)), fields=FIELDS, page=st.sampled_from(nonces)
    )
    def send(path: str, token: str, fields: list[tuple[str, str]], page: str) -> None:
        form = {"nonce": page}
        for name, value in fields:
            form[name] = value.encode("utf-8", "replace").decode()
        answer = site.client.post(path.replace("{token}", token), data=form)
        assert answer.status_code < 500
        assert "Traceback" not in answer.text

    send()
