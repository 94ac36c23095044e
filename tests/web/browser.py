"""A browser of sorts: keeps cookies, reads pages, sends forms as a browser does."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientResponse, ClientSession


@dataclass
class Page:
    """An answer, read."""

    status: int
    headers: Mapping[str, str]
    text: str
    url: str

    @property
    def words(self) -> str:
        """What a reader reads."""
        body = self.text.partition("</head>")[2].replace("</dt>", " ").replace("<br>", " ")
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", body))).strip()

    @property
    def location(self) -> str:
        return self.headers["Location"]

    @property
    def sent_state(self) -> str:
        """The state that the browser was sent on with."""
        return parse_qs(urlsplit(self.location).query)["state"][0]

    def form(self, action: str, **has: str) -> dict[str, str]:
        """The fields of the form that posts to `action`, as they come; of several, the one that `has` these."""
        reader = _Forms()
        reader.feed(self.text)
        return next(f for path, f in reader.forms if path == action and has.items() <= f.items())

    def actions(self) -> list[str]:
        reader = _Forms()
        reader.feed(self.text)
        return [path for path, _ in reader.forms]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given["action"], {}))
        elif tag == "input" and self.forms and "name" in given and given.get("type") != "checkbox":
            self.forms[-1][1][given["name"]] = given["value"]


@dataclass
class Browser:
    """Keeps cookies, sends forms as a browser does, follows redirects only when told to."""

    session: ClientSession
    base: str

    async def get(self, path: str, **headers: str) -> Page:
        async with self.session.get(self.base + path, headers=headers, allow_redirects=False) as response:
            return await _read(response)

    async def post(self, path: str, fields: Mapping[str, str], *ticked: tuple[str, str], **headers: str) -> Page:
        """Send a form; `ticked` are boxes, of which several have one name."""
        sent = {"Sec-Fetch-Site": "same-origin", "Origin": "null", **headers}
        async with self.session.post(
            self.base + path, data=[*fields.items(), *ticked], headers=sent, allow_redirects=False
        ) as response:
            return await _read(response)

    async def follow(self, page: Page) -> Page:
        """Go where a redirect to one of our own pages leads."""
        return await self.get(page.location)

    async def submit(self, page: Page, action: str, **more: str) -> Page:
        return await self.post(action, {**page.form(action), **more})


async def _read(response: ClientResponse) -> Page:
    return Page(
        status=response.status, headers=response.headers.copy(), text=await response.text(), url=str(response.url)
    )
