"""`SlackPeople`: a test's or a page's hands at the stand-in. Everything goes over HTTP; nothing is shared with it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import aiohttp

from bot.playground.vendors.slack.wire import Json


class PlayError(Exception):
    """The control API refused; the message is its error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMessage:
    """A message as one person sees it. `rendered` is neutral text (see `render`), `raw` the wire's own form."""

    ts: str
    author: str
    text: str
    rendered: str
    html: str
    ephemeral: bool
    edited: bool
    from_app: bool
    live: tuple[tuple[str, str], ...]
    """What notifies or leads somewhere: (kind, target)."""
    raw: Json

    @classmethod
    def read(cls, raw: Json) -> Self:
        """From the control API's answer."""
        return cls(
            ts=raw["ts"],
            author=raw["author"],
            text=raw["text"],
            rendered=raw["rendered"],
            html=raw["html"],
            ephemeral=raw["ephemeral"],
            edited=raw["is_edited"],
            from_app=raw["from_app"],
            live=tuple((each["kind"], each["target"]) for each in raw["live"]),
            raw=raw,
        )

    def element(self, label: str) -> Json:
        """The ids of what is called so (and an option's `value`); LookupError if there is none."""
        for block in self.raw.get("blocks", []):
            inner = [block.get("accessory"), *(block.get("elements") or [])]
            for element in (each for each in inner if isinstance(each, dict) and "action_id" in each):
                about: Json = {"action_id": element["action_id"], "block_id": block["block_id"]}
                if (element.get("text") or {}).get("text") == label:
                    return about
                for option in element.get("options", []):
                    if option["text"]["text"] == label:
                        return about | {"value": option["value"]}
        raise LookupError(f"nothing to press is called {label!r} in {self.rendered!r}")


class SlackPeople:
    """Calls the control API. `base_url` is the stand-in's; the session's cookies are one browser's."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        self._session = session
        self._base = base_url.rstrip("/") + "/_play/"

    async def get(self, path: str, **query: str) -> Json:
        """A GET of the control API; for `accepted`, `replies` and `problems` use `log`."""
        async with self._session.get(self._base + path, params=query) as reply:
            return await self._read(reply)

    async def post(self, path: str, **values: object) -> Json:
        """A POST of the control API."""
        async with self._session.post(self._base + path, json=values) as reply:
            return await self._read(reply)

    async def _read(self, reply: aiohttp.ClientResponse) -> Json:
        body: Json = await reply.json()
        if reply.status != 200:
            raise PlayError(body.get("error", str(reply.status)))
        return body

    async def log(self, name: str) -> list[Json]:
        """`accepted`, `replies` or `problems`, oldest first."""
        async with self._session.get(self._base + name) as reply:
            found: list[Json] = await reply.json()
            return found

    async def accepted(self, method: str) -> list[Json]:
        """The calls of one method that took effect."""
        return [each for each in await self.log("accepted") if each["method"] == method]

    async def history(self, team: str, channel: str, user: str) -> list[SeenMessage]:
        """A channel, or the direct messages with the app (`dm`), as `user` sees it."""
        found = await self.get("history", team=team, channel=channel, user=user)
        return [SeenMessage.read(each) for each in found["messages"]]

    async def says(self, team: str, channel: str, user: str, text: str) -> Json:
        """Type a text or a slash command; the answer's `error` is None when it went well."""
        return await self.post("type", team=team, channel=channel, user=user, text=text)

    async def press(self, team: str, channel: str, user: str, message: SeenMessage, label: str) -> Json:
        """Press the button, or choose the menu's option, of that label; returns `error` and `open_url`."""
        about = message.element(label)
        return await self.post("press", team=team, channel=channel, user=user, ts=message.ts, **about)

    async def sign_in(self, team: str, user: str, *, browser: bool = False) -> None:
        """Be that person at the authorize pages, everywhere or (`browser`) with this session's cookies alone."""
        await self.post("sign-in", team=team, user=user, browser=browser)

    async def fail(self, method: str, kind: str, times: int = 1, **more: object) -> None:
        """Let the next calls of a Web API method (or of `response_url`) fail."""
        await self.post("faults", method=method, kind=kind, times=times, **more)

    async def wait_until(
        self, team: str, channel: str, user: str, wanted: Callable[[list[SeenMessage]], bool], seconds: float = 10.0
    ) -> list[SeenMessage]:
        """The conversation once `wanted` holds of it, waiting for changes in between.

        Raises TimeoutError with what was there when nothing came of it within `seconds`.
        """
        while True:
            answer = await self.get("history", team=team, channel=channel, user=user)
            seen = [SeenMessage.read(each) for each in answer["messages"]]
            if wanted(seen):
                return seen
            await self._next_change(answer["revision"], seconds, [each.rendered for each in seen])

    async def wait_for_change(self, kind: str, after: int = 0, seconds: float = 10.0, **about: object) -> Json:
        """The first change of that kind (and those fields) after a revision."""
        while True:
            found = await self.get("changes", after=str(after), timeout=str(seconds))
            changes: list[Json] = found["changes"]
            for change in changes:
                if change["kind"] == kind and about.items() <= change.items():
                    return change
            if not found["changes"]:
                raise TimeoutError(f"no change {kind} {about}")
            after = found["revision"]

    async def _next_change(self, revision: int, seconds: float, seen: list[str]) -> None:
        found = await self.get("changes", after=str(revision), timeout=str(seconds))
        if not found["changes"]:
            raise TimeoutError(f"nothing came of it; there is: {seen}")
