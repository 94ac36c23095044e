"""The playground's panel: connections as the bot has them, and the ways in which the networks break them.

A break changes something at the network's stand-in and at nothing else; then the bot is told to look, as "Check now"
does. What it finds, and whom it tells, is its own affair.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.bootstrap import Bot
from bot.playground import cast
from bot.playground.own_networks import LETTERLY, SUITE, OwnPeople
from bot.playground.stage import Stage
from bot.playground.vendors.networks import NetworkPeople
from commands.causes import cause_name
from commands.ids import ConnectionId, to_wire
from commands.model import ConnectionState, ConnectionView, Filter, Scope
from commands.ports.checker import CheckResult

MOST = 100  # connections that the panel shows; the demo has two dozen
_EVERY_STATE = tuple(ConnectionState)
_LOOKS = 20  # how often a check is asked for while the watch has the same authorization in hand
_BETWEEN = 0.1  # seconds from one to the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a break is aimed at."""

    people: NetworkPeople
    account: str
    profile: str
    """Whose login the connection hangs on."""
    grant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakage:
    """One way to break a connection. `networks`: where it can happen."""

    label: str
    make: Callable[[Target], Awaitable[str]]
    ends_with_login: bool
    """Whether a new login mends it, so that it is over once the connection works again."""
    networks: tuple[str, ...] = cast.NETWORKS


_REPORTS = frozenset(
    {
        "ads_read",
        "instagram_business_manage_insights",
        "reporting",
        "https://www.googleapis.com/auth/adwords",
        "https://www.googleapis.com/auth/yt-analytics.readonly",
    }
)
"""What a person may leave out or take back, and reports hang on; other networks ask for all or nothing."""


async def _untick(target: Target) -> str:
    grants = await target.people.grants(profile=target.profile)
    permissions = next(grant["permissions"] for grant in grants if grant["id"] == target.grant)
    return await target.people.untick_permission(target.grant, next(p for p in permissions if p in _REPORTS))


BREAKAGES: Mapping[str, Breakage] = {
    "revoked": Breakage(
        label="Access removed",
        make=lambda target: target.people.revoke_grant(target.grant),
        ends_with_login=True,
    ),
    "expired": Breakage(
        label="Login expired",
        make=lambda target: target.people.expire_grant(target.grant),
        ends_with_login=True,
        networks=tuple(network for network in cast.NETWORKS if network != "x_ads"),  # there none ever does
    ),
    "password": Breakage(
        label="Password changed",
        make=lambda target: target.people.change_password(target.profile),
        ends_with_login=True,
        networks=("instagram", "meta", "microsoft_ads"),  # the others do not tell it, or go on
    ),
    "blocked": Breakage(
        label="Login blocked",
        make=lambda target: target.people.block_profile(target.profile),
        ends_with_login=True,
    ),
    "permission": Breakage(
        label="Permission unticked",
        make=_untick,
        ends_with_login=True,
        networks=("google_ads", "instagram", "meta", "tiktok", "youtube"),
    ),
    "role": Breakage(
        label="Role taken away",
        make=lambda target: target.people.lower_role(target.account, target.profile),
        ends_with_login=False,
    ),
    "moved": Breakage(
        label="Moved to another business",
        make=lambda target: target.people.move_account(target.account, cast.new_home(target.account)),
        ends_with_login=True,  # or with the move accepted
        networks=("google_ads", "meta", "microsoft_ads", "pinterest", "reddit", "snapchat", "tiktok"),
    ),
    "deleted": Breakage(
        label="Account deleted",
        make=lambda target: target.people.delete_account(target.account),
        ends_with_login=False,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBreakage:
    """One way to break a connection of one of the demo's own networks; `kind` is what its stand-in calls it."""

    label: str
    network: str
    kind: str
    ends_with_login: bool = True

    @property
    def networks(self) -> tuple[str, ...]:
        """Where it can happen."""
        return (self.network,)


OWN_BREAKAGES: Mapping[str, OwnBreakage] = {
    "key_deleted": OwnBreakage(label="Key deleted", network=LETTERLY, kind="invalid_key"),
    "key_expired": OwnBreakage(label="Key ran out", network=LETTERLY, kind="expired_key"),
    "key_lowered": OwnBreakage(label="Key may read less", network=LETTERLY, kind="missing_permission"),
    "account_locked": OwnBreakage(
        label="Account locked", network=LETTERLY, kind="account_locked", ends_with_login=False
    ),
    "app_removed": OwnBreakage(label="App taken out", network=SUITE, kind="app_removed"),
}


@dataclass(slots=True, kw_only=True)
class Broken:
    """A break that stands at a network."""

    breakage: Breakage | OwnBreakage
    network: str
    break_id: str
    noticed: bool = field(default=False)
    """Whether the bot has seen a lapse since."""


class CannotBreak(Exception):
    """The break cannot be made. The message is for whoever pressed."""


class Panel:
    """The connections of the demo's one organization."""

    def __init__(self, bot: Bot, stage: Stage) -> None:
        self._bot = bot
        self._stage = stage
        self._broken: dict[ConnectionId, Broken] = {}
        self._down: dict[str, str] = {}
        """Networks that are out of order, each with its break's id."""

    async def rows(self) -> list[dict[str, object]]:
        """Every connection, by network and name, with what the bot knows and what was broken here."""
        return [self._row(view) for view in await self._views()]

    def networks(self) -> list[dict[str, object]]:
        """The networks in the cast's order, and whether each answers."""
        slugs = [*dict.fromkeys(holding.network for holding in cast.HOLDINGS), *self._stage.own]
        return [
            {
                "slug": slug,
                "name": self._bot.networks[slug].spec.name,
                "down": slug in self._down,
                "switch": slug != SUITE,  # of what the host product keeps nothing is ever asked
                "page": self._stage.pages.get(slug),
            }
            for slug in slugs
        ]

    async def break_(self, connection: str, kind: str) -> None:
        """Break one, and have the bot look. Raises CannotBreak."""
        view = await self._view(connection)
        network = view.connection.network
        breakage = BREAKAGES.get(kind) or OWN_BREAKAGES.get(kind)
        if breakage is None or network not in breakage.networks:
            raise CannotBreak("This cannot happen at that network.")
        if not _was_connected(view):
            raise CannotBreak("This account was never connected, so there is nothing to break.")
        if view.connection.id in self._broken:
            raise CannotBreak("It is broken already. Repair it first, or reconnect it.")
        if isinstance(breakage, OwnBreakage):
            break_id = await self._stage.own[network].break_(breakage.kind, view.connection.account_id)
        else:
            break_id = await breakage.make(await self._target(view))
        self._broken[view.connection.id] = Broken(breakage=breakage, network=network, break_id=break_id)
        await self._look(view)

    async def _target(self, view: ConnectionView) -> Target:
        people, account = self._stage.networks[view.connection.network], view.connection.account_id
        subject = view.authorization.subject_id if view.authorization else None
        # Where an account is its own login, whoever logs in is known by the account.
        grants = await people.grants(profile=subject, live=True) or await people.grants(account=account, live=True)
        if not grants:
            raise CannotBreak("Its login is broken already. Reconnect it first.")
        return Target(people=people, account=account, profile=grants[-1]["profile"], grant=grants[-1]["id"])

    async def repair(self, connection: str) -> None:
        """Undo what was broken here at the network, and have the bot look."""
        view = await self._view(connection)
        broken = self._broken.pop(view.connection.id, None)
        if broken is None:
            return
        await self._people(broken.network).repair(broken.break_id)
        await self._look(view)

    async def switch_network(self, network: str, *, down: bool) -> None:
        """Take a whole network out of order, or bring it back, and have the bot look at each login there."""
        if network not in (*self._stage.networks, *self._stage.own) or network == SUITE:
            raise CannotBreak("There is no such network.")
        if down and network not in self._down:
            own = self._stage.own.get(network)
            self._down[network] = await (own.break_("down") if own else self._stage.networks[network].network_down())
        elif not down and network in self._down:
            await self._people(network).repair(self._down.pop(network))
        logins = {
            view.authorization.id: view
            for view in await self._views()
            if view.connection.network == network and view.authorization is not None
        }
        for _, view in sorted(logins.items()):
            await self._look(view)

    def _people(self, network: str) -> NetworkPeople | OwnPeople:
        return self._stage.own.get(network) or self._stage.networks[network]

    async def _look(self, view: ConnectionView) -> None:
        if view.authorization is None:
            return  # the host product keeps it, and has reported by now
        for _ in range(_LOOKS):
            found = await self._bot.watcher.check(view.connection.organization_id, view.authorization.id)
            if found is not CheckResult.BUSY:
                return
            await asyncio.sleep(_BETWEEN)  # the watch itself is looking just now, and may have begun before the break

    async def _view(self, connection: str) -> ConnectionView:
        for view in await self._views():
            if to_wire(view.connection.id) == connection:
                return view
        raise CannotBreak("There is no such connection.")

    async def _views(self) -> list[ConnectionView]:
        organizations = await self._bot.storage.directory.organizations()
        found: list[ConnectionView] = []
        async with self._bot.storage.reading() as uow:
            for organization in organizations:
                everything = Filter(states=_EVERY_STATE)
                page = await uow.connections.page(organization.id, Scope(), everything, offset=0, limit=MOST)
                found += page.rows
        return sorted(found, key=lambda view: (view.connection.network, view.connection.account_id))

    def _row(self, view: ConnectionView) -> dict[str, object]:
        connection, lapse = view.connection, view.lapse
        lapsed = connection.state is ConnectionState.LAPSED
        broken = self._broken.get(connection.id)
        if broken is not None:
            broken.noticed = broken.noticed or lapsed
            if broken.noticed and not lapsed and broken.breakage.ends_with_login:
                del self._broken[connection.id]  # a new login was made, and the old one no longer matters
                broken = None
        connector = view.connector.name if view.connector else ""
        return {
            "id": to_wire(connection.id),
            "network": connection.network,
            "account": connection.account_name,
            "account_id": connection.account_id,
            "client": view.client_name,
            "connector": connector,
            "connector_key": next((one.key for one in cast.PEOPLE if one.name == connector), None),
            "state": connection.state.value,
            "cause": cause_name(lapse.cause) if lapsed and lapse else None,
            "since": lapse.opened_at.isoformat() if lapsed and lapse else None,
            "looking": connection.doubt is not None and not lapsed,
            "broken": broken.breakage.label if broken else None,
            "breakable": _was_connected(view) and broken is None,
        }


def _was_connected(view: ConnectionView) -> bool:
    """Whether there is something to break; what the host product keeps hangs on no login of ours."""
    return view.authorization is not None or view.connection.network == SUITE
