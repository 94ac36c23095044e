"""A client of the control API, over HTTP like everything else: people at Discord, as tests and a page play them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp

from bot.playground.vendors.discord.wire import Payload

Where = int | str | None
"""A channel's id; None is the person's DM with the bot."""


class PlayError(Exception):
    """The act is not possible for that person, as Discord's own client would not have offered it."""


class DiscordPeople:
    """Plays people. `base_url` is the vendor's; ids may be given as numbers or text, and come back as text.

    Acts answer the interaction: `status` is answered, deferred or failed; `message`, `modal` and `choices` hold what
    it brought.
    """

    def __init__(self, base_url: str, session: aiohttp.ClientSession) -> None:
        self._base = base_url.rstrip("/") + "/_play/"
        self._session = session

    @classmethod
    @asynccontextmanager
    async def at(cls, base_url: str) -> AsyncIterator[DiscordPeople]:
        async with aiohttp.ClientSession() as session:
            yield cls(base_url, session)

    async def _get(self, path: str, **query: object) -> Payload:
        told = {name: str(value) for name, value in query.items() if value is not None}
        async with self._session.get(self._base + path, params=told) as response:
            return await self._read(response)

    async def _post(self, path: str, **body: object) -> Payload:
        async with self._session.post(self._base + path, json=body) as response:
            return await self._read(response)

    async def _read(self, response: aiohttp.ClientResponse) -> Payload:
        data: Payload = await response.json()
        if response.status >= 400:
            raise PlayError(str(data.get("error", data)))
        return data

    # Looking

    async def state(self) -> Payload:
        return await self._get("state")

    async def history(self, user: int | str, channel: Where = None) -> list[Payload]:
        """A channel as the person sees it, oldest first."""
        found: list[Payload] = (await self._get("history", user=user, channel=channel))["messages"]
        return found

    async def commands(self, user: int | str, channel: Where = None) -> list[Payload]:
        return list(await self._get("commands", user=user, channel=channel))  # type: ignore[arg-type]  # this one answers with a list

    async def interaction(self, interaction: str) -> Payload:
        return await self._get(f"interactions/{interaction}")

    async def log(self, after: int = 0) -> list[Payload]:
        """What the bot got accepted, with the analysis of its mentions."""
        return list(await self._get("log", after=after))  # type: ignore[arg-type]  # so does this

    async def pings(self) -> list[Payload]:
        return list(await self._get("pings"))  # type: ignore[arg-type]  # and this

    async def counters(self) -> Payload:
        return await self._get("counters")

    # Acting

    async def run(self, user: int | str, command: str, channel: Where = None, **options: object) -> Payload:
        """Run a command such as `lapsed` or `lapse-admin claim`."""
        return await self._post("run", user=user, channel=channel, command=command, options=options)

    async def complete(
        self, user: int | str, command: str, focused: str, channel: Where = None, **options: object
    ) -> list[Payload]:
        """The choices offered while typing `options[focused]`."""
        done = await self._post(
            "complete", user=user, channel=channel, command=command, focused=focused, options=options
        )
        return list(done["choices"] or [])

    async def press(self, user: int | str, message: int | str, custom_id: str) -> Payload:
        return await self._post("press", user=user, message=message, custom_id=custom_id)

    async def choose(self, user: int | str, message: int | str, custom_id: str, *values: str) -> Payload:
        return await self._post("choose", user=user, message=message, custom_id=custom_id, values=list(values))

    async def submit(self, user: int | str, interaction: int | str, **values: str | list[str]) -> Payload:
        """Send the form that an interaction opened; values by custom id."""
        return await self._post("submit", user=user, interaction=interaction, values=values)

    async def close(self, user: int | str, interaction: int | str) -> None:
        """Close the form that an interaction opened, without sending it."""
        await self._post("close", user=user, interaction=interaction)

    async def say(self, user: int | str, content: str, channel: Where = None) -> Payload:
        return await self._post("say", user=user, channel=channel, content=content)

    async def dismiss(self, user: int | str, message: int | str) -> None:
        await self._post("dismiss", user=user, message=message)

    # Circumstances

    async def sign_in(self, user: int | str | None) -> None:
        """Who is logged in at Discord in the browser that opens its OAuth pages."""
        await self._post("sign-in", user=user)

    async def change_user(self, user: int | str, **fields: object) -> None:
        """Any of dm_closed, email, verified, global_name."""
        await self._post(f"users/{user}", **fields)

    async def kick_bot(self, guild: int | str) -> None:
        await self._post(f"guilds/{guild}/kick-bot")

    async def install_bot(self, guild: int | str, permissions: int = 0) -> None:
        """Add the bot, with these permissions beside everyone's."""
        await self._post(f"guilds/{guild}/install-bot", permissions=permissions)

    async def switch_guild(self, guild: int | str, *, available: bool) -> None:
        """An outage of a server, or its end."""
        await self._post(f"guilds/{guild}/availability", available=available)

    async def remove_member(self, guild: int | str, user: int | str) -> None:
        await self._post(f"guilds/{guild}/members/{user}/remove")

    async def add_member(self, guild: int | str, user: int | str) -> None:
        await self._post(f"guilds/{guild}/members", user=user)

    async def delete_channel(self, channel: int | str) -> None:
        await self._post(f"channels/{channel}/delete")

    async def permit(self, channel: int | str, *, view: bool = True, send: bool = True) -> None:
        """What the bot may do in a channel."""
        await self._post(f"channels/{channel}/permit", view=view, send=send)

    async def delete_message(self, message: int | str) -> None:
        await self._post(f"messages/{message}/delete")

    async def gateway(self, action: str, **about: object) -> None:
        """Close (code=…), reconnect, invalidate (resumable=…), acknowledge (on=…), refuse (on=…)."""
        await self._post("gateway", action=action, **about)

    async def advance_clock(self, seconds: float) -> None:
        await self._post("clock", seconds=seconds)

    async def limits(self, *, enabled: bool) -> None:
        await self._post("limits", enabled=enabled)

    async def fault(self, kind: str, route: str, **about: object) -> None:
        """The next `times` calls of `route` ("POST /channels/*/messages") fail; kinds are in `FaultKind`."""
        await self._post("faults", kind=kind, route=route, **about)

    async def release_faults(self) -> None:
        await self._post("faults/release")

    async def clear_faults(self) -> None:
        await self._post("faults/clear")

    # Waiting

    async def now(self) -> int:
        """The number of the last change, to wait from."""
        return int((await self.state())["seq"])

    async def wait_for(self, fits: Callable[[Payload], bool], *, after: int = 0, within: float = 10.0) -> Payload:
        """The first change numbered above `after` that fits. Raises TimeoutError when none comes in time."""
        while True:
            found = await self._get("changes", after=after, timeout=within)
            for change in found["changes"]:
                if fits(change):
                    return dict(change)
            if not found["changes"]:
                raise TimeoutError("no such change came")
            after = found["seq"]

    async def wait_message(
        self, user: int | str, channel: Where, fits: Callable[[Payload], bool], *, within: float = 10.0
    ) -> Payload:
        """The newest message that fits, in a channel as the person sees it, now or as soon as it is there."""
        while True:
            seen = await self.now()
            for message in reversed(await self.history(user, channel)):
                if fits(message):
                    return message
            await self.wait_for(lambda change: change["type"].startswith("message_"), after=seen, within=within)
