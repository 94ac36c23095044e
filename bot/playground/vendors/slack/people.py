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
    thread_ts: str | None
    """The message that this one answers, if it is a reply."""
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
            thread_ts=raw.get("thread_ts"),
            live=tuple((each["kind"], each["target"]) for each in raw["live"]),
            raw=raw,
        )

    def element(self, label: str) -> Json:
        """The ids of what is called so (and an option's `value`); LookupError if there is none."""
        return pressable_called(label, self.raw.get("blocks", []))


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenView:
    """A modal or App Home as one person sees it. `errors` stand beside its fields, by `block_id`."""

    id: str
    title: str
    html: str
    errors: dict[str, str]
    raw: Json

    def field(self, label: str) -> tuple[str, Json]:
        """The `block_id` and the element of the field of that label; LookupError if there is none."""
        for block in self.raw["blocks"]:
            if block["type"] == "input" and block["label"]["text"] == label:
                return block["block_id"], block["element"]
        raise LookupError(f"no field is called {label!r}")


def pressable_called(label: str, blocks: list[Json]) -> Json:
    """The ids of the button, or of the menu's entry (and its `value`), of that label; LookupError if there is none."""
    for block in blocks:
        inner = [block.get("accessory"), *(block.get("elements") or [])]
        for element in (each for each in inner if isinstance(each, dict) and "action_id" in each):
            about: Json = {"action_id": element["action_id"], "block_id": block["block_id"]}
            if (element.get("text") or {}).get("text") == label:
                return about
            for option in element.get("options", []):
                if option["text"]["text"] == label:
                    return about | {"value": option["value"]}
    raise LookupError(f"nothing to press is called {label!r} in {blocks!r}")


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

    async def view(self, team: str, user: str, *, home: bool = False) -> SeenView | None:
        """The modal on top of that person's screen, or their App Home as it is published; None where there is none."""
        found = await self.get("home" if home else "view", team=team, user=user)
        view = found["view"]
        if view is None:
            return None
        title = (view["title"] or {}).get("text", "")
        return SeenView(id=view["id"], title=title, html=found["html"], errors=found["errors"], raw=view)

    async def wait_for_view(
        self, team: str, user: str, *, home: bool = False, unlike: SeenView | None = None, seconds: float = 10.0
    ) -> SeenView:
        """The modal or App Home as soon as there is one, `unlike` an earlier state of it where one is given.

        Raises TimeoutError if there is none within `seconds`.
        """
        while True:
            revision = (await self.get("state"))["revision"]
            view = await self.view(team, user, home=home)
            if view is not None and (unlike is None or view.raw["hash"] != unlike.raw["hash"]):
                return view
            await self._next_change(revision, seconds, [])

    async def open_home(self, team: str, user: str, *, seconds: float = 10.0) -> SeenView:
        """Open the app's Home, and wait until the app has published it anew."""
        before = await self.view(team, user, home=True)
        await self.post("home", team=team, user=user)
        return await self.wait_for_view(team, user, home=True, unlike=before, seconds=seconds)

    async def press_view(self, team: str, user: str, view: SeenView, label: str) -> Json:
        """Press the button, or choose the menu's option, of that label in a modal or App Home."""
        about = pressable_called(label, view.raw["blocks"])
        return await self.post("press-view", team=team, user=user, view_id=view.id, **about)

    async def submit(self, team: str, user: str, view: SeenView, **fields: object) -> Json:
        """Fill in fields, named by their label with `_` for a space, and submit; returns `error` and `errors`.

        A choice is given by its value, several as a list, a person by their id.
        """
        values: Json = {}
        for name, chosen in fields.items():
            block_id, element = view.field(name.replace("_", " "))
            values[block_id] = {element["action_id"]: chosen}
        return await self.post("submit", team=team, user=user, view_id=view.id, values=values)

    async def close(self, team: str, user: str, view: SeenView) -> None:
        """Close a modal with its cross."""
        await self.post("close", team=team, user=user, view_id=view.id)

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
