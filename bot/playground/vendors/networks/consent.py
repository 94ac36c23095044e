"""The network's login: who am I, what does the app want, Cancel or Allow. Plain forms, no script.

The page is stateless: each form posts to the address it was shown at, and the request in the query is checked anew.
Who is logged in is the network's own setting, so that the playground can change it from outside.
"""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from .authority import ConsentRefused, ConsentRequest, Failure
from .faults import PAGE
from .wire import Endpoint, NetworkWire, Offer, with_query
from .world import Decision, Profile

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@cache
def page_templates() -> Environment:
    """The templates of the consent pages, compiled once for all networks; everything put into them is escaped."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class ConsentPages:
    """Serves one network's authorization address."""

    def __init__(self, wire: NetworkWire, templates: Environment) -> None:
        self._wire = wire
        self._world = wire.world
        self._templates = templates

    def endpoints(self) -> list[Endpoint]:
        """The page, at each of the addresses that the network gives it."""
        return [
            Endpoint(method=method, path=path, label=PAGE, handler=handler)
            for path in self._wire.authorize_paths()
            for method, handler in (("GET", self._show), ("POST", self._answer))
        ]

    async def _show(self, request: web.Request) -> web.StreamResponse:
        try:
            asked = self._wire.desk.read(self._wire.authorize_params(request.query))
        except ConsentRefused as refused:
            return self._refuse(refused.failure)
        return self._page(asked)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        params = self._wire.authorize_params(request.query)
        try:
            asked = self._wire.desk.read(params)
        except ConsentRefused as refused:
            return self._refuse(refused.failure)
        form = await request.post()
        profile = self._logged_in()
        response: web.Response
        match form.get("act"):
            case "login" if str(form.get("profile")) in self._world.profiles:
                self._world.settings.logged_in = str(form.get("profile"))
                response = _back_to(request)
            case "login" | "switch":
                response = self._login(asked)
            case "cancel":
                location = self._wire.denied(asked.redirect_uri, asked.state, logged_in=profile is not None)
                response = _found(with_query(location, iss=self._wire.desk.issuer()))
            case "checkpoint" if profile is not None:
                profile.blocked = False
                response = _back_to(request)
            case "business":
                response = self._page(asked, str(form.get("choose")))
            case "allow" if form.get("choose") not in (None, form.get("business")):
                # Chosen and not yet shown: nobody allows accounts that they have not seen.
                response = self._page(asked, str(form.get("choose")))
            case "allow" if profile is not None and not profile.blocked and form.get("profile") == profile.id:
                offer = self._offer(asked, profile, str(form.get("business") or "") or None)
                permissions = [str(value) for value in form.getall("permission", [])]
                accounts = [str(value) for value in form.getall("account", [])]
                decision = self._wire.decided(asked, decide(profile, offer, permissions, accounts))
                response = _found(self._decided(asked, decision, params))
            case _:
                response = self._page(asked)
        return response

    def _decided(self, asked: ConsentRequest, decision: Decision, params: list[tuple[str, str]]) -> str:
        """The callback after Allow."""
        if self._wire.nothing_ticked_is_cancelled and not decision.permissions:
            location = self._wire.denied(asked.redirect_uri, asked.state, logged_in=True)
            return with_query(location, iss=self._wire.desk.issuer())
        barred = self._wire.barred()
        if barred is not None:
            return with_query(asked.redirect_uri, error=barred, state=asked.state, iss=self._wire.desk.issuer())
        return self._wire.allowed(self._wire.desk.allow(params, decision))

    def _page(self, asked: ConsentRequest, business_id: str | None = None) -> web.Response:
        profile = self._logged_in()
        if profile is None:
            return self._login(asked)
        if profile.blocked:
            return self._render("checkpoint.html", app=asked.app, profile=profile)
        offer = self._offer(asked, profile, business_id)
        return self._render("consent.html", app=asked.app, profile=profile, offer=offer)

    def _login(self, asked: ConsentRequest) -> web.Response:
        profiles = list(self._world.profiles.values())
        return self._render("login.html", app=asked.app, profiles=profiles, logged_in=self._world.settings.logged_in)

    def _refuse(self, failure: Failure) -> web.Response:
        location = self._wire.refused(failure)
        if location is not None:
            return _found(with_query(location, iss=self._wire.desk.issuer()))
        return self._render("problem.html", status=HTTPStatus.BAD_REQUEST, failure=failure)

    def _offer(self, asked: ConsentRequest, profile: Profile, business_id: str | None) -> Offer:
        return self._wire.offer_for(asked, profile, business_id)

    def _logged_in(self) -> Profile | None:
        return self._world.profiles.get(self._world.settings.logged_in or "")

    def _render(self, template: str, status: int = HTTPStatus.OK, **values: object) -> web.Response:
        text = self._templates.get_template(template).render(
            title=self._wire.title, accent=self._wire.accent, business_word=self._wire.business_word, **values
        )
        return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)


def decide(profile: Profile, offer: Offer, permissions: list[str], accounts: list[str]) -> Decision:
    """What the ticks amount to. Ticks that were not on the page count for nothing; required ones need no tick."""
    granted = {p.id for p in offer.permissions if not p.optional or p.id in permissions}
    offered = {account.id for account in offer.accounts}
    chosen = frozenset(offered & set(accounts))
    return Decision(
        profile_id=profile.id,
        permissions=frozenset(granted),
        declined=frozenset(p.id for p in offer.permissions if p.id not in granted),
        accounts=None if not offer.chooses_accounts or (offer.all_means_later and chosen == offered) else chosen,
        business_id=offer.business_id,
    )


def _found(location: str) -> web.Response:
    return web.Response(status=HTTPStatus.FOUND, headers={"Location": location, **HEADERS})


def _back_to(request: web.Request) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": str(request.rel_url), **HEADERS})
