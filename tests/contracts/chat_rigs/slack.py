"""Slack under the contract suite: the real adapter over signed HTTP, against the loopback Slack."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.playground.vendors.slack import SeenMessage
from commands.ports.chat import ChatPlatform
from tests.contracts.chat_rigs.rig import DM, Recorder, Seen, Wanted
from tests.slack_adapter.loopback import ANA, ANA_EMAIL, CHANNEL, GONE, RAJ, TEAM, Loopback, running


@dataclass
class SlackRig:
    slack: Loopback
    platform: ChatPlatform
    inbound: Recorder
    tenant: str = TEAM
    ana: str = ANA
    raj: str = RAJ
    nobody: str = GONE
    ana_email: str = ANA_EMAIL
    channel: str = CHANNEL

    async def look(self, who: str, where: str) -> Sequence[Seen]:
        return [_seen(each, where) for each in await self.slack.people.history(TEAM, where, who)]

    async def wait(self, who: str, where: str, wanted: Wanted) -> Sequence[Seen]:
        def as_wanted(seen: Sequence[SeenMessage]) -> bool:
            return wanted([_seen(each, where) for each in seen])

        found = await self.slack.people.wait_until(TEAM, where, who, as_wanted)
        return [_seen(each, where) for each in found]

    async def command(self, who: str, where: str, name: str) -> None:
        answer = await self.slack.people.says(TEAM, where, who, f"/{name}")
        assert answer["error"] is None

    async def press(self, who: str, where: str, message: Seen, label: str) -> str | None:
        seen = await self.slack.people.history(TEAM, where, who)
        pressed = next(each for each in seen if each.ts == message.id)
        answer = await self.slack.people.press(TEAM, where, who, pressed, label)
        assert answer["error"] is None
        url: str | None = answer["open_url"]
        return url

    async def remove(self, where: str, message: Seen) -> None:
        await self.slack.bot.chat_delete(channel=where, ts=message.id)

    async def lose_next_reply(self) -> None:
        await self.slack.people.fail("chat.postMessage", "drop")

    async def limit_next_post(self, seconds: int) -> None:
        await self.slack.people.fail("chat.postMessage", "rate_limit", retry_after=str(seconds))

    async def break_next_post(self) -> None:
        await self.slack.people.fail("chat.postMessage", "http", status=503)

    async def end_installation(self) -> None:
        await self.slack.people.post("revoke", team=TEAM)


@asynccontextmanager
async def start() -> AsyncIterator[SlackRig]:
    inbound = Recorder()
    async with running(inbound) as slack:
        yield SlackRig(slack, slack.platform, inbound)


def _seen(message: SeenMessage, where: str) -> Seen:
    labels = []
    for block in message.raw.get("blocks", []):
        for element in [block.get("accessory"), *(block.get("elements") or [])]:
            if isinstance(element, dict) and element.get("type") == "button":
                labels.append(element["text"]["text"])
            elif isinstance(element, dict) and element.get("type") == "overflow":
                labels += [option["text"]["text"] for option in element["options"]]
    live = tuple(target for kind, target in message.live if kind != "button")
    return Seen(
        id=message.ts,
        text=message.rendered,
        pressable=tuple(labels),
        live=live,
        is_private=message.ephemeral and where != DM,
    )
