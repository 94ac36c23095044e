"""The people around a network, over HTTP: they log in, allow or cancel, and break things. For tests and the panel.

`NetworkPeople` speaks the control API, and `consent` plays a browser on the consent pages. It shares nothing with the
stand-in but its address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from typing import Any

import aiohttp


class PlayError(Exception):
    """The stand-in refused; the text is its reason."""


class NetworkPeople:
    """`base_url` is where the stand-in is mounted, with or without its closing slash."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession) -> None:
        self._play = f"{base_url.rstrip('/')}/_play"
        self._session = session

    async def state(self) -> dict[str, Any]:
        """Everything: profiles, businesses, accounts, apps, grants, breaks, settings. Never a token's value."""
        return await self._call("GET", "state")

    async def grants(
        self, *, profile: str | None = None, account: str | None = None, live: bool | None = None
    ) -> list[dict[str, Any]]:
        """The grants, oldest first, of one person, reaching one account, working or not."""
        return [
            grant
            for grant in (await self.state())["grants"]
            if profile in (None, grant["profile"])
            and (account is None or account in grant["reaches"])
            and live in (None, grant["live"])
        ]

    async def calls(self) -> dict[str, int]:
        """How often each endpoint was called since the start or `forget_calls`, failed calls included."""
        return await self._call("GET", "calls")

    async def forget_calls(self) -> None:
        """Begin counting anew."""
        await self._call("DELETE", "calls")

    async def log_in(self, profile: str | None) -> None:
        """Make the browser logged in as `profile`, or as nobody."""
        await self.set(logged_in=profile)

    async def set(self, **settings: object) -> None:
        """Change settings of the stand-in; `world.Settings` lists them."""
        await self._call("PATCH", "settings", settings)

    async def break_(self, kind: str, **arguments: object) -> str:
        """Break something (`breaks.BreakKind`, `faults.FaultKind`); the id to repair it by."""
        return str((await self._call("POST", "breaks", {"kind": kind, **arguments}))["id"])

    async def repair(self, break_id: str) -> None:
        """Undo one break."""
        await self._call("DELETE", f"breaks/{break_id}")

    async def repair_all(self) -> None:
        """Undo every break."""
        await self._call("DELETE", "breaks")

    async def revoke_grant(self, grant: str) -> str:
        """The person removes the app at the network."""
        return await self.break_("revoke_grant", grant=grant)

    async def expire_grant(self, grant: str, *, only: str | None = None) -> str:
        """The grant's tokens (`only` access, or only refresh) are past their time."""
        return await self.break_("expire_grant", grant=grant, only=only)

    async def change_password(self, profile: str) -> str:
        """The person changes the password; every grant of theirs from before is dead."""
        return await self.break_("change_password", profile=profile)

    async def block_profile(self, profile: str) -> str:
        """The network wants the person to confirm who they are before anything works again."""
        return await self.break_("block_profile", profile=profile)

    async def untick_permission(self, grant: str, permission: str) -> str:
        """The person takes one permission back."""
        return await self.break_("untick_permission", grant=grant, permission=permission)

    async def lower_role(self, account: str, profile: str, role: str | None = None) -> str:
        """The person's role on an account becomes `role`, or is taken away."""
        return await self.break_("lower_role", account=account, profile=profile, role=role)

    async def move_account(self, account: str, business: str, *, keep_access: bool = True) -> str:
        """The account goes to another business; without `keep_access` the roles on it go too."""
        return await self.break_("move_account", account=account, business=business, keep_access=keep_access)

    async def delete_account(self, account: str) -> str:
        """The account is closed and gone."""
        return await self.break_("delete_account", account=account)

    async def disable_account(self, account: str, status: str | None = None) -> str:
        """The network disables the account, with its own word for it or the usual one."""
        return await self.break_("disable_account", account=account, status=status)

    async def wrong_secret(self, app: str) -> str:
        """The app's secret is no longer the one that its owner has."""
        return await self.break_("wrong_secret", app=app)

    async def network_down(self, endpoint: str | None = None) -> str:
        """The network is out of order."""
        return await self.break_("network_down", endpoint=endpoint)

    async def throttled(self, endpoint: str | None = None, times: int | None = None) -> str:
        """The network says: too many calls."""
        return await self.break_("throttled", endpoint=endpoint, times=times)

    async def slow(self, seconds: float, endpoint: str | None = None) -> str:
        """Every reply takes this long."""
        return await self.break_("slow", endpoint=endpoint, seconds=seconds)

    async def register(
        self, app: str, *, redirect_uris: Iterable[str] | None = None, deauthorize_url: str | None = None
    ) -> None:
        """Set an app's addresses, as its developer does in the network's app settings."""
        addresses = None if redirect_uris is None else list(redirect_uris)
        await self._call("PATCH", f"apps/{app}", {"redirect_uris": addresses, "deauthorize_url": deauthorize_url})

    async def add_account(self, **account: object) -> None:
        """One more ad account; `world.AdAccount` lists the fields."""
        await self._call("POST", "accounts", account)

    async def issue(
        self, profile: str, permissions: Iterable[str], *, accounts: Iterable[str] | None = None, app: str | None = None
    ) -> dict[str, Any]:
        """A grant without a browser: `grant` (its id), `access_token`, `expires_at`, and `refresh_token` if any."""
        body = {
            "profile": profile,
            "permissions": list(permissions),
            "accounts": None if accounts is None else list(accounts),
            "app": app,
        }
        return await self._call("POST", "grants", body)

    async def move_times(self, grant: str, **times: float) -> dict[str, Any]:
        """Set `issued_at`, `expires_at`, `refresh_expires_at`, `data_access_expires_at`, or `shift_seconds` all."""
        return await self._call("PATCH", f"grants/{grant}", times)

    async def consent(
        self,
        authorize_url: str,
        *,
        profile: str | None = None,
        business: str | None = None,
        permissions: Iterable[str] | None = None,
        accounts: Iterable[str] | None = None,
        allow: bool = True,
    ) -> str:
        """Go through the consent pages as a person would; the callback address that the browser is sent to.

        `profile` logs in as that person first. Left out, a tick stays as the page has it. Raises `PlayError` when the
        page offers no such thing, or leads nowhere.
        """
        if profile is not None:
            await self._press(authorize_url, [("act", "login"), ("profile", profile)])
        if not allow:
            return await self._press(authorize_url, [("act", "cancel")])
        form = await self._form(authorize_url, None)
        if business is not None:
            form = await self._form(authorize_url, [("act", "business"), ("choose", business)])
        fields = [(name, value) for name, value in form.hidden]
        for name, wanted in (("permission", permissions), ("account", accounts)):
            offered = [value for box, value in form.ticked if box == name]
            chosen = offered if wanted is None else list(wanted)
            if not set(chosen) <= set(offered):
                raise PlayError(f"the page offers {name}s {offered}, not {chosen}")
            fields += [(name, value) for value in chosen]
        return await self._press(authorize_url, [*fields, ("act", "allow")])

    async def _form(self, address: str, fields: list[tuple[str, str]] | None) -> _Form:
        request = self._session.get(address) if fields is None else self._session.post(address, data=fields)
        async with request as answer:
            form = _Form()
            form.feed(await answer.text())
            if answer.status != 200:
                raise PlayError(f"the consent page answered {answer.status}")
            return form

    async def _press(self, address: str, fields: list[tuple[str, str]]) -> str:
        async with self._session.post(address, data=fields, allow_redirects=False) as answer:
            location = answer.headers.get("Location")
            if location is None:
                raise PlayError(f"the consent page answered {answer.status} and leads nowhere")
            return location

    async def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        given = None if body is None else {name: value for name, value in body.items() if value is not None}
        if path == "settings":
            given = dict(body or {})  # there None is a value: nobody logged in
        async with self._session.request(method, f"{self._play}/{path}", json=given) as answer:
            if answer.status != 200:
                raise PlayError(await answer.text())
            result: dict[str, Any] = await answer.json()
            return result


class _Form(HTMLParser):
    """The hidden fields and ticked boxes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: list[tuple[str, str]] = []
        self.ticked: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag != "input":
            return
        field = (given.get("name", ""), given.get("value", ""))
        if given.get("type") == "hidden":
            self.hidden.append(field)
        elif given.get("type") == "checkbox" and "checked" in given:
            self.ticked.append(field)
