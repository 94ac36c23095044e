"""Somebody in front of their chat: types, reads the answer, presses a button. The same for Slack and for Discord.

Built on the stand-ins' own clients; everything goes over HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.playground import cast
from bot.playground.vendors.discord import DiscordPeople
from bot.playground.vendors.slack import SeenMessage, SlackPeople


class NotAnswered(Exception):
    """What was typed or pressed did not bring an answer; the text says what came instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A private answer. `links` are its addresses, `buttons` its pressable labels; both in the order shown."""

    text: str
    links: tuple[str, ...]
    buttons: tuple[str, ...]
    message: Any


class Seat(Protocol):
    """One person, at one chat platform."""

    async def types(self, command: str, **options: str) -> Answer:
        """Run a command in the alerts channel; `options` by their names, as words where the platform takes words."""
        ...

    async def presses(self, answer: Answer, label: str) -> Answer:
        """Press the first button so called in an answer."""
        ...


class SlackSeat:
    """Somebody in Slack."""

    def __init__(self, people: SlackPeople, user: str) -> None:
        self._people, self._user = people, user

    async def types(self, command: str, **options: str) -> Answer:
        words = " ".join([command, *options.values()])
        before = await self._seen()
        told = await self._people.says(cast.TEAM, cast.SLACK_CHANNEL, self._user, words)
        if told["error"] is not None:
            raise NotAnswered(f"{command}: {told['error']}")
        return await self._newest(before)

    async def presses(self, answer: Answer, label: str) -> Answer:
        before = await self._seen()
        told = await self._people.press(cast.TEAM, cast.SLACK_CHANNEL, self._user, answer.message, label)
        if told["error"] is not None:
            raise NotAnswered(f"{label}: {told['error']}")
        return await self._newest(before)

    async def _seen(self) -> set[str]:
        history = await self._people.history(cast.TEAM, cast.SLACK_CHANNEL, self._user)
        return {message.ts for message in history}

    async def _newest(self, before: set[str]) -> Answer:
        """The private answer that was not there before."""

        def fresh(messages: list[SeenMessage]) -> list[SeenMessage]:
            return [one for one in messages if one.ts not in before and one.ephemeral]

        messages = await self._people.wait_until(
            cast.TEAM, cast.SLACK_CHANNEL, self._user, lambda seen: bool(fresh(seen))
        )
        message = fresh(messages)[-1]
        found = list(_walk(message.raw.get("blocks", [])))
        return Answer(
            text=message.rendered,
            links=tuple(str(part["url"]) for part in found if "url" in part),
            buttons=tuple(part["text"]["text"] for part in found if part.get("type") == "button" and "url" not in part),
            message=message,
        )


class DiscordSeat:
    """Somebody in Discord."""

    def __init__(self, people: DiscordPeople, user: str) -> None:
        self._people, self._user = people, user

    async def types(self, command: str, **options: str) -> Answer:
        act = await self._people.run(self._user, command, cast.DISCORD_CHANNEL, **options)
        return await self._answer(act)

    async def presses(self, answer: Answer, label: str) -> Answer:
        custom_id = next(
            (
                part["custom_id"]
                for part in _walk(answer.message["components"])
                if "custom_id" in part and part.get("label") == label
            ),
            None,
        )
        if custom_id is None:
            raise NotAnswered(f"nothing to press is called “{label}” in: {answer.text}")
        return await self._answer(await self._people.press(self._user, answer.message["id"], custom_id))

    async def _answer(self, act: Mapping[str, Any]) -> Answer:
        act = await self._settled(act)
        message = act["message"]
        if act["status"] != "answered" or message is None:
            raise NotAnswered(f"Discord shows: the application did not respond ({act['status']})")
        found = list(_walk(message["components"]))
        return Answer(
            text=message["text"],
            links=tuple(str(part["url"]) for part in found if part.get("url")),
            buttons=tuple(str(part["label"]) for part in found if "custom_id" in part and part.get("label")),
            message=message,
        )

    async def _settled(self, act: Mapping[str, Any]) -> Mapping[str, Any]:
        """The act once its answer is there: a deferred one gets it later."""
        while act["status"] == "deferred":
            seen = await self._people.now()
            act = await self._people.interaction(str(act["id"]))
            if act["status"] == "deferred":
                await self._people.wait_for(lambda change: change["type"].startswith("message_"), after=seen)
        return act


def _walk(node: Any) -> Iterator[Mapping[str, Any]]:
    """Every object of a message's structure, outermost first."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value)
