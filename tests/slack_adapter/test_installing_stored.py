"""The installation's way into the real store and back: let in, posted with, lost, let in again, and never readable."""

from pathlib import Path

import pytest

from commands.errors import DeliveryErrorKind
from storage import Keyring, open_storage
from tests.slack_adapter.many import (
    ALONE,
    BOSS,
    EAST,
    MIA,
    ORG,
    Noted,
    back,
    error_of_post,
    let_in,
    lost,
    many,
    post,
    stored,
    uninstall,
)

# slack_sdk 3.47 still hands its client credentials to aiohttp as BasicAuth.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")


@pytest.mark.behaviour("A-2")
async def test_installations_live_in_our_own_encrypted_store(tmp_path: Path, sqlite_database_url: str) -> None:
    inbound = Noted()
    async with open_storage(sqlite_database_url, Keyring.load_or_create(tmp_path / "keys")) as storage:
        async with many(inbound, storage.installations) as slack:
            await let_in(slack, ALONE, MIA)
            await post(slack, ALONE)
            first = (await stored(slack, ALONE)).bot_token.reveal()
            await uninstall(slack, ALONE, "tokens_revoked", "app_uninstalled")
            await inbound.until(lambda: lost(inbound) == [ALONE])
            assert (await error_of_post(slack, ALONE)).kind is DeliveryErrorKind.INSTALLATION_DEAD
            await let_in(slack, ALONE, MIA)
            await post(slack, ALONE)
            await let_in(slack, EAST, BOSS, where=ORG)
            await slack.people.post("org-teams", enterprise=ORG, teams=[EAST])
            await inbound.until(lambda: EAST in back(inbound))
            await post(slack, EAST)
            tokens = [first, *[(await stored(slack, each)).bot_token.reveal() for each in (ALONE, ORG)]]
    for file in tmp_path.iterdir():
        assert not any(token.encode() in file.read_bytes() for token in tokens)
