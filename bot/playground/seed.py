"""Puts the demo's organization, people and connections in place, the way the product itself has it.

An operator makes the organization and imports a file; two administrators claim their workspaces by a code; people type
a command, sign in with Slack or Discord, confirm who they are, and connect their accounts at the networks. Everything
after the operator's part goes over HTTP, through the pages and the chat: what is seeded was really possible.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from bot.administration import create_organization, import_file, import_people, new_claim_code
from bot.host_product import add_address, create_key
from bot.playground import cast
from bot.playground.browser import Browser
from bot.playground.own_networks import ACCOUNTS, LETTERLY, SUITE
from bot.playground.seats import Seat
from bot.playground.stage import Stage
from bot.settings import Settings

CONNECTIONS = Path(__file__).with_name("connections.csv")
PEOPLE = Path(__file__).with_name("people.csv")
LABELS = {"slack": "Slack", "discord": "Discord"}
KEY = "field_key"
"""What the form for a key of Letterly calls it."""
CONNECTING = ("Connect", "Enter key")
"""What a list's buttons say of accounts that wait for their first connection."""
NEVER_CONNECTS = "dan"
"""Leaves his account unconnected, so that this state can be seen too."""
EARLIER = timedelta(minutes=12)
"""How long ago people connected. LinkedIn calls a login of the last ten minutes revoked by mistake, so that the bot
does not believe it so soon; nobody at the playground wants to wait for that to pass.
"""


class SeedingFailed(Exception):
    """The demo's data could not be put in place; the text says at which step, and what came instead."""


class Seeding:
    """One run of it, against a bot that is running. `advance` moves the clock of the bot and of the networks."""

    def __init__(
        self,
        settings: Settings,
        environment: Mapping[str, str],
        stage: Stage,
        advance: Callable[[timedelta], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._stage = stage
        self._advance = advance

    async def run(self) -> None:
        """Do all of it. Raises SeedingFailed."""
        code = await create_organization(self._settings, cast.ORGANIZATION, "UTC", None)
        report = await import_file(self._settings, self._environment, CONNECTIONS, cast.ORGANIZATION, lambda *_: None)
        if report.bad:
            raise SeedingFailed(f"line {report.bad[0].line} of {CONNECTIONS.name}: {report.bad[0].reason}")
        told = await import_people(self._settings, PEOPLE, cast.ORGANIZATION)
        if told.bad:
            raise SeedingFailed(f"line {told.bad[0].line} of {PEOPLE.name}: {told.bad[0].reason}")
        await self._set_up_host_product()
        await self._claim(cast.person("mei"), code)
        # Whoever moves the clock on by days wants the reminders then, on a Sunday night as well.
        await self._stage.seat(cast.person("mei")).types("/lapse-admin", words="hours daily 0-24")
        await self._claim(cast.person("raj"), await new_claim_code(self._settings, cast.ORGANIZATION))
        for one in cast.PEOPLE:
            if one.part is cast.Part.ADMINISTRATOR:
                here = "here" if one.platform == "slack" else "yes"
                await self._stage.seat(one).types("/subscribe-lapses", here=here)
            elif one.part is not cast.Part.STRANGER:
                await self._introduce(one)
        await self._stage.become(cast.PEOPLE[0])

    async def _set_up_host_product(self) -> None:
        """Give the host product a key and an address of its own; it adds by itself what it keeps."""
        key = await create_key(self._settings, cast.ORGANIZATION, name="North Suite", days=0)
        hook = f"{self._stage.url(SUITE)}/hooks/lapsebot"
        secret = await add_address(self._settings, cast.ORGANIZATION, url=hook, connection="")
        api = f"{self._settings.public_url}/api/v1"
        await self._stage.own[SUITE].set_up(api=api, key=key[0], secret=secret[0])

    async def _claim(self, one: cast.Somebody, code: str) -> None:
        if one.platform == "slack":
            answer = await self._stage.seat(one).types("/lapse-admin", words=f"claim {code}")
        else:
            answer = await self._stage.seat(one).types("lapse-admin claim", code=code)
        if cast.ORGANIZATION not in answer.text:
            raise SeedingFailed(f"{one.name} claimed the workspace and was told: {answer.text}")

    async def _introduce(self, one: cast.Somebody) -> None:
        """Type a command, be asked to sign in, do so, confirm who one is; then connect what there is to connect."""
        seat = self._stage.seat(one)
        asked = await seat.types("/lapsed")
        async with Browser.opened() as browser:
            await self._stage.become(one)
            await browser.open(asked.links[0])
            await browser.press(f"Sign in with {LABELS[one.platform]}")
            await browser.press("Continue as" if one.platform == "slack" else "Authorize")
            await browser.press("Yes, that is me")
            if one.profiles and one.key != NEVER_CONNECTS:
                await self._connect(one, seat, browser)
        if one.part is cast.Part.SUBSCRIBER:
            await seat.types("/subscribe-lapses", network="all")

    async def _connect(self, one: cast.Somebody, seat: Seat, browser: Browser) -> None:
        """Go through each network's login once: it connects all that waits there."""
        mine = {"words": "mine"} if one.platform == "slack" else {"mine": "yes"}
        listed = await seat.types("/lapsed", **mine)
        while label := next((one for one in listed.buttons if one in CONNECTING), None):
            offer = await seat.presses(listed, label)
            self._advance(-EARLIER)
            page = await browser.open(offer.links[0])
            if page.has_field(KEY):
                account = next(account for account in ACCOUNTS if account in page.text)
                browser.fill(KEY, await self._stage.own[LETTERLY].make_key(account))
                page = await browser.press("Check and save")
            else:
                await browser.press("Connect at ")
                page = await browser.press("Allow")
            self._advance(EARLIER)
            if "Restored" not in page.text:
                raise SeedingFailed(f"{one.name} connected an account and was shown “{page.heading}”")
            listed = await seat.types("/lapsed", **mine)
