"""What notices say of networks that are read with keys, and of those that the host product keeps."""

from dataclasses import replace

import pytest

from bot.notices.example_facts import FACEBOOK, entry, letter
from bot.notices.wording import write
from commands.messages import LinkButton
from commands.model import Verdict
from commands.ports.network import KeyField, KeyForm, NetworkKind, NetworkSpec, OwnPage
from commands.ports.notices import Part
from tests.commands.plain import buttons, plain

KEYED = replace(
    FACEBOOK,
    slug="letterly",
    name="Letterly",
    kind=NetworkKind.API_KEY,
    key_form=KeyForm(called="key", fields=(KeyField(name="key", label="Key"),)),
)
HOSTED = replace(
    FACEBOOK,
    slug="suite",
    name="Suite Social",
    kind=NetworkKind.HOSTED,
    own_page=OwnPage(product="Acme Suite", reconnect_url="https://suite.example.com/{account_id}"),
)


@pytest.mark.behaviour("R-9", "N-1")
@pytest.mark.parametrize(
    ("spec", "cause", "label", "way"),
    [
        (KEYED, Verdict.REVOKED, "Enter key", "in about a minute by entering a new key"),
        (HOSTED, Verdict.REPORTED, "Reconnect", "in about a minute in Acme Suite, which keeps the connection"),
    ],
    ids=["keyed", "hosted"],
)
def test_the_connector_is_told_the_way_that_there_is(spec: NetworkSpec, cause: Verdict, label: str, way: str) -> None:
    message = write(letter(Part.CONNECTOR, [entry(0, spec, "Acme", account_id="1", cause=cause)]))
    said = plain(message)
    assert way in said
    assert "logging in" not in said
    button = buttons(message)[label]
    assert not isinstance(button, LinkButton) or "/r/" in button.url, "by our own page, never straight to another's"
