"""Slack's consent pages: "Allow" for installing, "Continue as Ana" for Sign in with Slack. No JavaScript.

Who is at the browser comes from the cookie `stand_in_slack`, else from whom the playground signed in for everybody.
"""

from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from bot.playground.vendors.slack.config import UserConfig
from bot.playground.vendors.slack.openid import OpenId
from bot.playground.vendors.slack.state import SlackState, Workspace
from bot.playground.vendors.slack.tickets import CodeTicket
from bot.playground.vendors.slack.wire import Json, RefusedError

COOKIE = "stand_in_slack"
_KEPT = ("client_id", "scope", "user_scope", "state", "redirect_uri", "nonce", "response_type", "response_mode", "team")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A checked authorize request."""

    flow: str
    params: dict[str, str]
    redirect_uri: str
    named_redirect: str | None
    scopes: tuple[str, ...]


class ConsentPages:
    """Serves `/oauth/v2/authorize` and `/openid/connect/authorize`."""

    def __init__(self, state: SlackState, openid: OpenId) -> None:
        self._state = state
        self._openid = openid

    def who(self, request: web.Request) -> tuple[Workspace, UserConfig] | None:
        """The person at this browser."""
        team, _, user = request.cookies.get(COOKIE, "").partition(":")
        chosen = (team, user) if user else self._state.signed_in
        if chosen is None or (workspace := self._state.workspaces.get(chosen[0])) is None:
            return None
        found = workspace.users.get(chosen[1])
        return (workspace, found) if found and not found.deleted else None

    def _asked(self, request: web.Request, values: dict[str, str]) -> _Asked:
        flow = "openid" if request.path.endswith("/openid/connect/authorize") else "install"
        params = {name: values[name] for name in _KEPT if name in values}
        if params.get("client_id") != self._state.app.client_id:
            raise RefusedError("invalid_client_id")
        named = params.get("redirect_uri") or None
        registered = self._state.app.redirect_urls
        redirect_uri = named or (registered[0] if registered else "")
        if not redirect_uri or not self._openid.redirect_allowed(redirect_uri):
            raise RefusedError("bad_redirect_uri")
        scopes = tuple(s for s in params.get("scope", "").replace(",", " ").split() if s)
        if flow == "openid":
            if params.get("response_type") != "code" or "openid" not in scopes or named is None:
                raise RefusedError("invalid_arguments")
            if params.get("response_mode", "query") not in ("query", "form_post"):
                raise RefusedError("invalid_arguments")
        elif not scopes:
            raise RefusedError("no_scopes")
        elif "openid" in scopes:
            raise RefusedError("invalid_scope_requested")
        elif unknown := [s for s in scopes if s not in self._state.app.scopes]:
            raise RefusedError("invalid_scope", detail=unknown)
        return _Asked(flow, params, redirect_uri, named, scopes)

    async def show(self, request: web.Request) -> web.Response:
        """GET: the question. Changes nothing."""
        try:
            asked = self._asked(request, dict(request.query))
        except RefusedError as refused:
            return _page(
                "Something went wrong", f"<p>Slack could not go on: <code>{escape(refused.error)}</code></p>", 400
            )
        if "choose" in request.query:
            return self._choose(asked)
        who = self.who(request)
        return self._choose(asked) if who is None else self._question(asked, *who)

    def _hidden(self, asked: _Asked) -> str:
        return "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in asked.params.items())

    def _question(self, asked: _Asked, workspace: Workspace, user: UserConfig) -> web.Response:
        app, team = escape(self._state.app.name), escape(workspace.config.name)
        if asked.flow == "openid":
            title, allow = f"Sign in to {app} with Slack", f"Continue as {escape(user.real_name.split()[0])}"
            what = f"<p>{app} will learn your name, your email address and your workspace <b>{team}</b>.</p>"
        else:
            title, allow = f"{app} is requesting permission to access the {team} workspace", "Allow"
            listed = "".join(f"<li><code>{escape(s)}</code></li>" for s in asked.scopes)
            what = f"<p>What will {app} be able to do?</p><ul>{listed}</ul>"
        places = self._places(asked, workspace, user)
        if not places:
            return _page(title, f"{what}<p>Only administrators of {team} may let apps in. Ask one of them.</p>")
        where = "".join(f'<option value="{escape(key)}">{escape(name)}</option>' for key, name in places.items())
        chosen = f'<p><label>Where <select name="where">{where}</select></label></p>' if len(places) > 1 else ""
        other = urlencode({**asked.params, "choose": "1"})
        body = (
            f'{what}<p class="who">{escape(user.real_name)} · {escape(user.email)} · {team}</p>'
            f'<form method="post">{self._hidden(asked)}'
            f'<input type="hidden" name="as" value="{escape(workspace.id)}:{escape(user.id)}">{chosen}'
            f'<button name="answer" value="allow" class="primary">{allow}</button> '
            f'<button name="answer" value="deny">Cancel</button></form>'
            f'<p><a href="?{escape(other)}">Not you? Use another account</a></p>'
        )
        return _page(title, body)

    def _places(self, asked: _Asked, workspace: Workspace, user: UserConfig) -> dict[str, str]:
        """What this person may install the app in, or sign in to: by id, with its name."""
        places = {workspace.id: f"the workspace {workspace.config.name}"}
        if asked.flow == "openid":
            return places
        if workspace.config.only_admins_install and not (user.is_admin or user.is_org_admin):
            places = {}
        if workspace.enterprise and user.is_org_admin and self._state.app.org_deploy_enabled:
            places[workspace.enterprise.id] = f"the whole organization {workspace.enterprise.name}"
        return places

    def _choose(self, asked: _Asked) -> web.Response:
        people = "".join(
            f'<li><button name="as" value="{escape(w.id)}:{escape(u.id)}">{escape(u.real_name)}</button> '
            f"{escape(w.config.name)}</li>"
            for w in self._state.workspaces.values()
            for u in w.users.values()
            if not u.deleted and not u.is_bot
        )
        switch = '<input type="hidden" name="answer" value="switch">'
        body = f'<form method="post">{self._hidden(asked)}{switch}<ul>{people}</ul></form>'
        return _page("Who is signing in?", body)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """POST: back to the app with a code or an error, or to the question as somebody else."""
        form = {k: v for k, v in (await request.post()).items() if isinstance(v, str)}
        try:
            asked = self._asked(request, form)
            team, _, user_id = form.get("as", "").partition(":")
            workspace = self._state.workspace(team)
            user = workspace.user(user_id)
            where = form.get("where") or workspace.id
            if form.get("answer") == "allow" and where not in self._places(asked, workspace, user):
                raise RefusedError("app_approval_required")
        except RefusedError as refused:
            return _page(
                "Something went wrong", f"<p>Slack could not go on: <code>{escape(refused.error)}</code></p>", 400
            )
        if form.get("answer") == "switch":
            response = _see_other(f"?{urlencode(asked.params)}")
            set_cookie(response, workspace.id, user.id, self._state.base_url)
            return response
        given: Json = {"state": asked.params["state"]} if "state" in asked.params else {}
        if form.get("answer") == "allow":
            given = {"code": self._code(asked, where, user)} | given
        else:
            given = {"error": "access_denied"} | given
        self._state.changes.add("consent", flow=asked.flow, team=workspace.id, user=user.id, error=given.get("error"))
        return _send_back(asked, given)

    def _code(self, asked: _Asked, where: str, user: UserConfig) -> str:
        ticket = CodeTicket(
            flow=asked.flow,
            team_id=where,
            user_id=user.id,
            client_id=asked.params["client_id"],
            redirect_uri=asked.named_redirect,
            scopes=asked.scopes,
            nonce=asked.params.get("nonce"),
            expires_at=0.0,
        )
        return self._state.tickets.new_code(ticket)


def set_cookie(response: web.StreamResponse, team_id: str, user_id: str, base_url: str) -> None:
    """Sign a person in at this browser alone."""
    path = urlsplit(base_url).path or "/"
    response.set_cookie(COOKIE, f"{team_id}:{user_id}", path=path, httponly=True, samesite="Lax")


def _send_back(asked: _Asked, given: Json) -> web.StreamResponse:
    if asked.params.get("response_mode") == "form_post":
        fields = "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in given.items())
        button = '<button class="primary">Continue</button>'
        back = f'<form method="post" action="{escape(asked.redirect_uri)}">{fields}{button}</form>'
        return _page("Back to the app", back)
    joint = "&" if "?" in asked.redirect_uri else "?"
    return _see_other(asked.redirect_uri + joint + urlencode(given))


def _see_other(location: str) -> web.Response:
    return web.Response(status=303, headers={"Location": location, "Cache-Control": "no-store"})


_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 Lato,system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem}
h1{font-size:1.5rem}.who{opacity:.75}ul{padding-left:1.2rem}button{font:inherit;padding:.5rem 1rem;border-radius:4px;
border:1px solid #8888;background:transparent;cursor:pointer}
button.primary{background:#611f69;color:#fff;border-color:#611f69}
.mark{font-weight:900;letter-spacing:-.03em}
"""


def _page(title: str, body: str, status: int = 200) -> web.Response:
    text = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title} · Slack stand-in</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f'<body><p class="mark">slack · stand-in</p><h1>{title}</h1>{body}</body></html>'
    )
    return web.Response(text=text, content_type="text/html", status=status, headers={"Cache-Control": "no-store"})
