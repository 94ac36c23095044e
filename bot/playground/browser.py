"""A person's browser without a window: opens pages, and presses the buttons that are on them.

It follows redirects, keeps cookies, and sends a form with just what the page put into it, so that whatever a page asks
for (tokens, ticks, hidden fields) has to be really there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser

import aiohttp
from yarl import URL


class NoSuchButton(LookupError):
    """The page has no such button; the text says which page, and what is on it."""


@dataclass(slots=True)
class Button:
    """A button of a form: what it says, and what it sends."""

    label: str = ""
    name: str = ""
    value: str = ""


@dataclass(slots=True)
class Form:
    """A form as the page has it: where it goes, and what it sends unless somebody changes it."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A page that was answered."""

    url: URL
    status: int
    text: str
    heading: str
    forms: tuple[Form, ...]

    def has_field(self, name: str) -> bool:
        """Whether a form has a field of this name."""
        return any(one == name for form in self.forms for one, _ in form.fields)


class Browser:
    """One person's browser, with its own cookies."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.page: Shown | None = None

    @classmethod
    @asynccontextmanager
    async def opened(cls) -> AsyncIterator[Browser]:
        """A fresh one, with no cookies."""
        # Cookies of bare addresses are kept only when asked for, and here everything is at 127.0.0.1.
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            yield cls(session)

    async def open(self, url: str) -> Shown:
        """Go to an address."""
        async with self._session.get(url) as reply:
            return await self._read(reply)

    async def press(self, label: str) -> Shown:
        """Press the button whose label begins so. Raises NoSuchButton."""
        page = self.page
        for form in page.forms if page else ():
            for button in form.buttons:
                if button.label.startswith(label) and page is not None:
                    return await self._send(page, form, button)
        raise NoSuchButton(f"no button “{label}” on {self._described()}")

    def fill(self, name: str, value: str) -> None:
        """Type into the field of this name. Raises NoSuchButton."""
        for form in self.page.forms if self.page else ():
            if any(one == name for one, _ in form.fields):
                form.fields = [(one, value if one == name else old) for one, old in form.fields]
                return
        raise NoSuchButton(f"no field “{name}” on {self._described()}")

    def _described(self) -> str:
        if self.page is None:
            return "a blank page"
        labels = [button.label for form in self.page.forms for button in form.buttons]
        return f"“{self.page.heading}” ({self.page.status}), which has: {', '.join(labels) or 'none'}"

    async def _send(self, page: Shown, form: Form, button: Button) -> Shown:
        # A fragment-only or empty action is the page's own address, query included.
        address = page.url.join(URL(form.action)) if form.action else page.url
        fields = [*form.fields, *([(button.name, button.value)] if button.name else [])]
        request = (
            self._session.post(address, data=fields)
            if form.method == "post"
            else self._session.get(address.with_query(fields))
        )
        async with request as reply:
            return await self._read(reply)

    async def _read(self, reply: aiohttp.ClientResponse) -> Shown:
        text = await reply.text()
        reader = _Reader()
        reader.feed(text)
        self.page = Shown(
            url=reply.url,
            status=reply.status,
            text=text,
            heading=" ".join(reader.heading.split()),
            forms=tuple(reader.forms),
        )
        return self.page


class _Reader(HTMLParser):
    """The forms of a page, and its first heading."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.heading = ""
        self._form: Form | None = None
        self._button: Button | None = None
        self._select = ""
        self._in_heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif tag == "h1" and not self.heading:
            self._in_heading = True
        elif self._form is None:
            return
        elif tag == "input":
            self._take_input(self._form, given)
        elif tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and self._select and "selected" in given:
            self._form.fields.append((self._select, given.get("value", "")))
        elif tag == "button" and given.get("type", "submit") == "submit":
            self._button = Button(name=given.get("name", ""), value=given.get("value", ""))
            self._form.buttons.append(self._button)

    def _take_input(self, form: Form, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        if kind not in ("checkbox", "radio") or "checked" in given:
            form.fields.append((given.get("name", ""), given.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self._button.label += data
        if self._in_heading:
            self.heading += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "button":
            if self._button is not None:
                self._button.label = " ".join(self._button.label.split())
            self._button = None
        elif tag == "select":
            self._select = ""
        elif tag == "h1":
            self._in_heading = False
