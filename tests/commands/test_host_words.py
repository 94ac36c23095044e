"""What the host product says of a lapse is told in its words, as a quotation (D-7)."""

from datetime import UTC, datetime

import pytest

from commands.causes import SAID_LIMIT, cause_text, lapse_text
from commands.ids import ConnectionId, LapseId, OrganizationId, new_id
from commands.model import Evidence, Lapse, Verdict
from commands.ports.network import OwnPage
from tests.support.network import spec

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def lapse(said: str, cause: Verdict = Verdict.REPORTED) -> Lapse:
    return Lapse(
        id=LapseId(new_id(NOW)),
        organization_id=OrganizationId(new_id(NOW)),
        connection_id=ConnectionId(new_id(NOW)),
        authorization_id=None,
        cause=cause,
        evidence=Evidence(check="host report", said=said),
        last_good_at=None,
        opened_at=NOW,
    )


@pytest.mark.behaviour("D-7")
def test_the_hosts_reason_stands_in_place_of_the_general_words() -> None:
    page = OwnPage(product="Our Tool", reconnect_url="https://tool.example/")
    words = lapse_text(spec(own_page=page), lapse("Their key was deleted."))
    assert words.happened == "Our Tool says: “Their key was deleted”."
    unnamed = lapse_text(None, lapse("Gone"))
    assert unnamed.happened == "The system that holds this connection says: “Gone”."


@pytest.mark.behaviour("D-7")
def test_a_cause_that_the_host_names_keeps_its_words_and_who_can_mend_it() -> None:
    words = lapse_text(spec(), lapse("By the owner", Verdict.REVOKED))
    assert words.happened.startswith(cause_text(spec(), Verdict.REVOKED).happened)
    assert "“By the owner”" in words.happened
    assert words.mend == cause_text(spec(), Verdict.REVOKED).mend


def test_without_a_reason_the_general_words_stand() -> None:
    assert lapse_text(spec(), lapse("")) == cause_text(spec(), Verdict.REPORTED)


def test_a_long_or_hostile_reason_is_cleaned_and_shortened() -> None:
    happened = lapse_text(None, lapse("a\u202eb\n\x00" + "x" * 5000)).happened
    assert len(happened) < SAID_LIMIT + 100
    assert "\u202e" not in happened
    assert "\n" not in happened
