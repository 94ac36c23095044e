"""What a login for new accounts gave, on its way through the store."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from commands.model import Evidence, Finding, Parent, Tokens, Verdict
from commands.ports.network import Discovery, Grant, ReachedAccount
from commands.proved_login import ProvedLogin
from commands.secret import Secret

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
secrets = st.builds(Secret, words)
times = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)).map(  # noqa: DTZ001  # hypothesis takes naive bounds; the map makes them aware
    lambda at: at.replace(tzinfo=UTC)
)
accounts = st.builds(
    ReachedAccount,
    account_id=words,
    name=words,
    parent=st.none() | st.builds(Parent, id=words, name=words),
    finding=st.builds(
        Finding,
        verdict=st.sampled_from(Verdict),
        evidence=st.builds(Evidence, check=st.just("login"), missing=st.lists(words, max_size=2).map(tuple)),
    ),
)
logins = st.builds(
    ProvedLogin,
    grant=st.builds(
        Grant,
        tokens=st.builds(
            Tokens,
            access=secrets,
            refresh=st.none() | secrets,
            access_expires_at=st.none() | times,
            obtained_at=st.none() | times,
        ),
        ends_at=st.none() | times,
    ),
    discovery=st.builds(
        Discovery,
        subject_id=words,
        subject_name=words,
        granted=st.frozensets(words, max_size=3),
        accounts=st.lists(accounts, max_size=4).map(tuple),
    ),
)


@given(logins)
def test_what_a_login_gave_is_read_back_as_it_was(found: ProvedLogin) -> None:
    assert ProvedLogin.from_secret(found.to_secret()) == found


def test_it_never_prints() -> None:
    tokens = Tokens(access=Secret("sesame"), refresh=Secret("sesame"))
    discovery = Discovery(subject_id="1", subject_name="Ana", granted=frozenset(), accounts=())
    found = ProvedLogin(grant=Grant(tokens=tokens), discovery=discovery)
    assert "sesame" in found.to_secret().reveal()
    assert "sesame" not in f"{found!r} {found.to_secret()!r} {found.to_secret()}"
