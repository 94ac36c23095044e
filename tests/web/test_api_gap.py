"""The page after a login says which data may be missing (X-9, R-12)."""

import pytest

from tests.web.browser import Browser
from tests.web.rig import Rig


@pytest.mark.behaviour("X-9", "R-12")
async def test_the_green_page_tells_the_gap_of_the_lapse_that_just_ended(rig: Rig, browser: Browser) -> None:
    connection_id = await rig.add_connection("a-1")
    path = await rig.link(connection_id)
    await rig.signed_in(browser, path)
    rig.login("a-1")
    page = await rig.reconnect(browser, path)
    assert "Restored" in page.words
    assert "Data may be missing from Mon 23 Nov 2026, 08:50 UTC until Mon 23 Nov 2026, 09:00 UTC." in page.words
    assert "How far back Examplenet gives out data is not known here." in page.words
