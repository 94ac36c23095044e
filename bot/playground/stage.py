"""The stand-ins as the demo's people use them: who is at the browser, who sits where, and what is done to a network."""

import aiohttp

from bot.playground import cast
from bot.playground.own_networks import PAGES, OwnPeople
from bot.playground.seats import DiscordSeat, Seat, SlackSeat
from bot.playground.stand_ins import StandIns
from bot.playground.vendors.discord import DiscordPeople
from bot.playground.vendors.networks import NetworkPeople
from bot.playground.vendors.slack import SlackPeople


class Stage:
    """Speaks to the stand-ins over HTTP, through `session`. There is one browser at the playground, one person's."""

    def __init__(self, stand_ins: StandIns, session: aiohttp.ClientSession) -> None:
        self._slack = SlackPeople(session, stand_ins.url("slack"))
        self._discord = DiscordPeople(stand_ins.url("discord"), session)
        self.networks = {network: NetworkPeople(stand_ins.url(network), session) for network in cast.NETWORKS}
        self.own = {network: OwnPeople(stand_ins.url(network), session) for network in PAGES}
        self.url = stand_ins.url
        self.pages = {network: f"{stand_ins.url(network)}/{page}" for network, page in PAGES.items()}
        """Where people find the demo's own networks."""
        self.acting: str | None = None
        """Whose the browser is, by key."""

    def seat(self, one: cast.Somebody) -> Seat:
        """Somebody's place at their chat."""
        if one.platform == "slack":
            return SlackSeat(self._slack, one.user)
        return DiscordSeat(self._discord, one.user)

    async def become(self, one: cast.Somebody) -> None:
        """Make the browser somebody's: at their chat platform's login, and at the networks where they have one."""
        if one.platform == "slack":
            await self._slack.sign_in(cast.TEAM, one.user)
        else:
            await self._discord.sign_in(one.user)
        for network, people in self.networks.items():
            await people.log_in(one.key if network in one.profiles else None)
        self.acting = one.key
