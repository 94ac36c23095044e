"""What a network's token endpoint may answer with, sense and nonsense: never a crash, never a wrong end."""

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.errors import NetworkError
from commands.model import Verdict
from commands.secret import Secret
from platform_adapters.networks.credentials import Credentials
from platform_adapters.networks.oauth import NetworkClient
from tests.support.clock import FakeClock

CLOCK = FakeClock()
KEPT = Secret("the one of before")
NOW = CLOCK.now()


def client() -> NetworkClient:
    credentials = Credentials(
        client_id="app", client_secret=Secret("s"), authorize_url="http://a", token_url="http://t", api_url="http://b"
    )
    return NetworkClient(credentials, CLOCK, lambda _: None)


@pytest.mark.parametrize(
    ("given_end", "expected"),
    [
        pytest.param(3600, timedelta(hours=1), id="a number"),
        pytest.param("3600", timedelta(hours=1), id="a number as text"),
        pytest.param(None, None, id="null"),
        pytest.param(0, None, id="zero"),
        pytest.param(-1, None, id="negative"),
        pytest.param(1e-9, None, id="less than any clock shows"),
        pytest.param(10**18, None, id="huge"),
        pytest.param(10**400, None, id="more than a float holds"),
        pytest.param("soon", None, id="words"),
        pytest.param(True, None, id="true"),
        pytest.param("nan", None, id="not a number"),
        pytest.param("inf", None, id="endless"),
    ],
)
def test_an_end_that_makes_no_sense_is_no_end(given_end: object, expected: timedelta | None) -> None:
    tokens = client().tokens({"access_token": "a", "expires_in": given_end})
    assert tokens.access_expires_at == (None if expected is None else NOW + expected)


def test_an_answer_that_names_no_end_and_no_refresh_token_keeps_the_one_there_is() -> None:
    tokens = client().tokens({"access_token": "a"}, refresh=KEPT)
    assert (tokens.access_expires_at, tokens.refresh, tokens.obtained_at) == (None, KEPT, NOW)
    assert client().tokens({"access_token": "a", "refresh_token": ""}, refresh=KEPT).refresh == KEPT


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER", None])
def test_bearer_is_known_however_it_is_written(kind: str | None) -> None:
    assert client().tokens({"access_token": "a", "token_type": kind}).access.reveal() == "a"


@pytest.mark.parametrize("body", [{"access_token": "a", "token_type": "MAC"}, {}, {"access_token": ""}])
def test_an_answer_that_cannot_be_used_is_unclear(body: dict[str, object]) -> None:
    with pytest.raises(NetworkError) as refused:
        client().tokens(body)
    assert refused.value.finding.verdict is Verdict.UNCLEAR


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2)
FIELDS = ["access_token", "refresh_token", "expires_in", "token_type", "scope", "refresh_token_expires_in"]


@given(body=st.dictionaries(st.sampled_from(FIELDS), VALUES | st.just("Bearer")))
def test_whatever_a_token_answer_holds_it_is_tokens_or_a_finding(body: dict[str, object]) -> None:
    tokens, refused = None, None
    try:
        tokens = client().tokens(body, refresh=KEPT)
    except NetworkError as error:
        refused = error.finding.verdict
    assert (tokens is None) == (refused is Verdict.UNCLEAR)
    if tokens is None:
        return
    assert tokens.access
    assert tokens.refresh
    assert tokens.access_expires_at is None or tokens.access_expires_at > NOW
    seconds = body.get("expires_in")
    if isinstance(seconds, float) and not math.isfinite(seconds):
        assert tokens.access_expires_at is None
