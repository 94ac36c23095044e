"""Discord under the contract suite: the real adapter over REST and the gateway, against the loopback Discord."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot.playground.vendors.discord.markdown import Link, Mention, Node, Styled, parse
from commands.ports.chat import ChatPlatform
from tests.contracts.chat_rigs.rig import DM, Recorder, Seen, Wanted
from tests.discord_adapter.loopback import ANA, CLOSED, GENERAL, RAJ, Loopback, running

_BUTTON, _MENU, _TEXT = 2, 3, 10


@dataclass
class DiscordRig:
    discord: Loopback
    platform: ChatPlatform
    inbound: Recorder
    tenant: str = ""
    ana: str = str(ANA)
    raj: str = str(RAJ)
    nobody: str = str(CLOSED)
    ana_email: str = "ana@example.test"
    channel: str = str(GENERAL)

    async def look(self, who: str, where: str) -> Sequence[Seen]:
        messages = await self.discord.people.history(who, _channel(where))
        return [_seen(message, where) for message in messages if not message["loading"]]

    async def wait(self, who: str, where: str, wanted: Wanted) -> Sequence[Seen]:
        while True:
            before = await self.discord.people.now()
            seen = await self.look(who, where)
            if wanted(seen):
                return seen
            await self.discord.people.wait_for(lambda change: change["type"].startswith("message_"), after=before)

    async def command(self, who: str, where: str, name: str) -> None:
        done = await self.discord.people.run(who, name, _channel(where))
        assert done["status"] != "failed"

    async def press(self, who: str, where: str, message: Seen, label: str) -> str | None:
        history = await self.discord.people.history(who, _channel(where))
        (shown,) = [each for each in history if each["id"] == message.id]
        for component in _walk(shown["components"]):
            if component["type"] == _BUTTON and component["label"] == label:
                if "url" in component:
                    return str(component["url"])
                done = await self.discord.people.press(who, message.id, component["custom_id"])
                assert done["status"] != "failed"
                return None
            chosen = [option["value"] for option in component.get("options", []) if option["label"] == label]
            if chosen:
                done = await self.discord.people.choose(who, message.id, component["custom_id"], chosen[0])
                assert done["status"] != "failed"
                return None
        raise AssertionError(f"there is no {label!r} to press")

    async def remove(self, where: str, message: Seen) -> None:
        await self.discord.people.delete_message(message.id)

    async def lose_next_reply(self) -> None:
        await self.discord.people.fault("drop", "POST /channels/*/messages")

    async def limit_next_post(self, seconds: int) -> None:
        await self.discord.people.fault("error", "POST /channels/*/messages", status=429, retry_after=seconds)

    async def break_next_post(self) -> None:
        await self.discord.people.fault("error", "POST /channels/*/messages", status=503)

    async def end_installation(self) -> None:
        await self.discord.people.fault("error", "*", status=401, times=1000)


@asynccontextmanager
async def start() -> AsyncIterator[DiscordRig]:
    inbound = Recorder()
    async with running(inbound) as discord:
        yield DiscordRig(discord, discord.platform, inbound)


def _channel(where: str) -> str | None:
    return None if where == DM else where


def _seen(message: dict[str, Any], where: str) -> Seen:
    components = list(_walk(message["components"]))
    labels = [one["label"] for one in components if one["type"] == _BUTTON]
    labels += [option["label"] for one in components if one["type"] == _MENU for option in one["options"]]
    live = [found for one in components if one["type"] == _TEXT for found in _live(parse(one["content"]))]
    pings = message["pings"]
    live += [str(kind) for kind in ("users", "roles", "everyone") if pings.get(kind) or pings.get(f"shown_{kind}")]
    return Seen(
        id=message["id"],
        text=message["text"],
        pressable=tuple(labels),
        live=tuple(live),
        is_private=message["ephemeral"] and where != DM,
    )


def _walk(components: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for component in components:
        yield component
        yield from _walk(component.get("components", []))
        if "accessory" in component:
            yield component["accessory"]


def _live(nodes: Sequence[Node]) -> Iterator[str]:
    for node in nodes:
        match node:
            case Mention(kind, identifier):
                yield f"{kind}:{identifier}"
            case Link(url, _):
                yield url
            case Styled(_, children, _):
                yield from _live(children)
            case _:
                pass
