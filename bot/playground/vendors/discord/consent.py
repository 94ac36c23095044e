"""The pages at /oauth2/authorize: log in, choose a server, authorize or cancel. They work without JavaScript."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode, urlsplit, urlunsplit

from aiohttp import web

from bot.playground.vendors.discord.oauth import CODE_SECONDS, Code, Grants
from bot.playground.vendors.discord.places import Places
from bot.playground.vendors.discord.world import Guild, User, World

KNOWN_SCOPES = {
    "identify": "Access your username, avatar and banner",
    "email": "Access your email address",
    "guilds": "Know what servers you're in",
    "bot": "Add a bot to a server",
    "applications.commands": "Create commands",
}
DENIED = "The resource owner or authorization server denied the request"
STYLE = """
:root{color-scheme:dark}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:#5865f2;
font:16px/1.4 "gg sans","Noto Sans",Helvetica,Arial,sans-serif;color:#dbdee1}
main{background:#313338;border-radius:8px;max-width:26rem;width:calc(100% - 2rem);margin:1rem;overflow:hidden}
section{padding:1.5rem}h1{font-size:1.25rem;color:#f2f3f5;text-align:center;margin:.25rem 0}
p{margin:.5rem 0;color:#b5bac1}
ul{list-style:none;padding:0}li{padding:.4rem 0;border-top:1px solid #3f4147}li::before{content:"✓ ";color:#23a55a}
footer{display:flex;justify-content:space-between;gap:1rem;background:#2b2d31;padding:1rem 1.5rem}
button{border:0;border-radius:4px;padding:.7rem 1.5rem;font:inherit;color:#fff;background:#5865f2;cursor:pointer}
button.plain{background:none;color:#dbdee1}select,label{display:block;width:100%}
select{padding:.6rem;margin:.4rem 0;background:#1e1f22;color:#dbdee1;border:0;border-radius:4px;font:inherit}
form.people button{display:block;width:100%;margin:.4rem 0;background:#4e5058}
:focus-visible{outline:2px solid #00a8fc;outline-offset:2px}
"""


class Refused(Exception):
    """A request that must not be redirected anywhere: it is said on a page instead."""


class ConsentPages:
    """`world.signed_in` says who is logged in to Discord in the browser; the control API switches it."""

    def __init__(self, world: World, grants: Grants, places: Places) -> None:
        self.world = world
        self.grants = grants
        self.places = places

    def routes(self) -> list[web.RouteDef]:
        found = []
        for path in ("/oauth2/authorize", "/api/oauth2/authorize"):
            found += [web.get(path, self.show), web.post(path, self.decide)]
        return found

    async def show(self, request: web.Request) -> web.StreamResponse:
        try:
            scopes = self._scopes(request)
        except Refused as refused:
            return _page("Something is wrong", f"<p>{escape(str(refused))}</p>", status=400)
        user = self.world.users.get(self.world.signed_in or 0)
        if user is None:
            return self._login_page()
        quiet = request.query.get("prompt") == "none" and "bot" not in scopes
        if quiet and self.grants.granted_before(user.id, scopes):
            return self._back(request, self._approve(request, user, scopes, None))
        return self._consent_page(user, scopes, request.query.get("guild_id"))

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """The buttons of the pages. Who was shown on the page must still be the one who is logged in."""
        try:
            scopes = self._scopes(request)
        except Refused as refused:
            return _page("Something is wrong", f"<p>{escape(str(refused))}</p>", status=400)
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        if "sign_in" in form:
            return self._sign_in(request, form["sign_in"])
        user = self.world.users.get(self.world.signed_in or 0)
        if user is None or form.get("user") != str(user.id):
            return _see_other(str(request.rel_url))
        if form.get("decision") != "authorize":
            return self._denied(request)
        return await self._authorized(request, user, scopes, form.get("guild_id"))

    def _denied(self, request: web.Request) -> web.Response:
        if not request.query.get("redirect_uri"):
            return _page("Cancelled", "<p>Nothing was authorized.</p>")
        return self._back(request, {"error": "access_denied", "error_description": DENIED})

    async def _authorized(
        self, request: web.Request, user: User, scopes: tuple[str, ...], guild_id: str | None
    ) -> web.Response:
        guild: Guild | None = None
        if "bot" in scopes:
            guild = next((one for one in self._manageable(user) if str(one.id) == guild_id), None)
            if guild is None:
                return self._consent_page(user, scopes, None, "Choose a server that you manage.")
            asked = request.query.get("permissions", "0")
            await self.places.install_bot(guild, int(asked) if asked.isdecimal() else 0)
        if not request.query.get("redirect_uri"):
            return _page(
                "Authorized", f"<p>{escape(self.world.config.application_name)} was added. You can close this page.</p>"
            )
        return self._back(request, self._approve(request, user, scopes, guild))

    def _scopes(self, request: web.Request) -> tuple[str, ...]:
        query = request.query
        if query.get("client_id") != str(self.world.config.application_id):
            raise Refused("Unknown application (client_id).")
        scopes = tuple(dict.fromkeys(query.get("scope", "").split()))
        if not scopes or any(scope not in KNOWN_SCOPES for scope in scopes):
            raise Refused("The requested scope is invalid, unknown, or malformed.")
        redirect = query.get("redirect_uri")
        if redirect is not None and redirect not in self.world.config.redirect_uris:
            raise Refused("Invalid OAuth2 redirect_uri: it must be registered, letter by letter.")
        if redirect is None and "bot" not in scopes:
            raise Refused("Invalid OAuth2 redirect_uri: none was given.")
        if redirect is not None and query.get("response_type") != "code":
            raise Refused("response_type must be code.")
        if query.get("code_challenge_method", "S256") not in ("S256", "plain"):
            raise Refused("code_challenge_method must be S256 or plain.")
        return scopes

    def _sign_in(self, request: web.Request, user_id: str) -> web.Response:
        user = self.world.users.get(int(user_id)) if user_id.isdecimal() else None
        if user is not None and not user.bot:
            self.world.signed_in = user.id
            self.world.feed.add("signed_in", user_id=str(user.id))
        return _see_other(str(request.rel_url))

    def _approve(
        self, request: web.Request, user: User, scopes: tuple[str, ...], guild: Guild | None
    ) -> dict[str, str]:
        query = request.query
        code = Code(
            user.id,
            scopes,
            query["redirect_uri"],
            self.world.now() + CODE_SECONDS,
            query.get("code_challenge"),
            query.get("code_challenge_method", "plain"),
            guild.id if guild else None,
        )
        answer = {"code": self.grants.issue_code(code)}
        if guild is not None:
            answer |= {"guild_id": str(guild.id), "permissions": query.get("permissions", "0")}
        return answer

    def _back(self, request: web.Request, answer: dict[str, str]) -> web.Response:
        parts = urlsplit(request.query["redirect_uri"])
        if "state" in request.query:
            answer = {**answer, "state": request.query["state"]}
        query = "&".join(part for part in (parts.query, urlencode(answer)) if part)
        return _see_other(urlunsplit(parts._replace(query=query)))

    def _manageable(self, user: User) -> list[Guild]:
        return [guild for guild in self.world.guilds.values() if user.id in guild.admins]

    def _login_page(self) -> web.Response:
        people = [user for user in self.world.users.values() if not user.bot]
        buttons = "".join(
            f'<button name="sign_in" value="{user.id}">{escape(user.global_name or user.username)}'
            f" (@{escape(user.username)})</button>"
            for user in people
        )
        return _page(
            "Welcome back!", f'<p>Log in to Discord as:</p><form method="post" class="people">{buttons}</form>'
        )

    def _consent_page(
        self, user: User, scopes: tuple[str, ...], guild_id: str | None, fault: str | None = None
    ) -> web.Response:
        name = escape(self.world.config.application_name)
        wishes = "".join(f"<li>{escape(KNOWN_SCOPES[scope])}</li>" for scope in scopes)
        person = escape(user.global_name or user.username)
        body = f"<p>Signed in as <strong>{person}</strong> (@{escape(user.username)})</p>"
        body += f"<p>This will allow {name} to:</p><ul>{wishes}</ul>"
        if "bot" in scopes:
            options = "".join(
                f'<option value="{guild.id}"{" selected" if str(guild.id) == guild_id else ""}>'
                f"{escape(guild.name)}</option>"
                for guild in self._manageable(user)
            )
            body += f'<label>Add to server<select name="guild_id">{options}</select></label>'
        if fault:
            body += f'<p role="alert">{escape(fault)}</p>'
        footer = (
            '<button class="plain" name="decision" value="cancel">Cancel</button>'
            '<button name="decision" value="authorize">Authorize</button>'
        )
        hidden = f'<input type="hidden" name="user" value="{user.id}">'
        content = (
            f'<form method="post">{hidden}<section><h1>{name}</h1>{body}</section><footer>{footer}</footer></form>'
        )
        return _document(f"{name} wants to access your account", content)


def _see_other(url: str) -> web.Response:
    return web.Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})


def _page(title: str, body: str, *, status: int = 200) -> web.Response:
    return _document(title, f"<section><h1>{escape(title)}</h1>{body}</section>", status=status)


def _document(title: str, main: str, *, status: int = 200) -> web.Response:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · Discord (stand-in)</title><style>{STYLE}</style></head>"
        f"<body><main>{main}</main></body></html>"
    )
    return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})
