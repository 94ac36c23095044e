"""What a round trip through a network's login left written, and what its page must offer."""

from commands.ids import ConnectionId
from commands.model import ConnectionState
from commands.ports.events import EventKind
from tests.web.browser import Page
from tests.web.rig import Rig


async def stored_tokens(rig: Rig) -> tuple[str, str | None]:
    async with rig.storage.reading() as uow:
        tokens = await uow.authorizations.tokens(rig.organization_id, rig.authorization_id)
    return tokens.access.reveal(), tokens.refresh.reveal() if tokens.refresh else None


async def is_lapsed(rig: Rig, connection_id: ConnectionId) -> bool:
    return (await rig.connection(connection_id)).state is ConnectionState.LAPSED


async def assert_nothing_written(rig: Rig, connection_id: ConnectionId) -> None:
    assert await is_lapsed(rig, connection_id)
    assert await stored_tokens(rig) == ("old-access", "old-refresh")
    assert await rig.events(EventKind.LAPSE_ENDED) == []


def assert_helps_on(page: Page, path: str) -> None:
    """R-15: try again, what to check, who can help."""
    assert path in page.actions()
    assert "What to check" in page.words
    assert "Raj Patel" in page.words
    assert "help@acme.example" in page.words
