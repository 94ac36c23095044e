"""The token side of installing and of Sign in with Slack: codes, refresh tokens, RS256 id tokens, userInfo."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from bot.playground.vendors.slack.calls import Arguments
from bot.playground.vendors.slack.config import UserConfig
from bot.playground.vendors.slack.state import SlackState, Workspace
from bot.playground.vendors.slack.tickets import CodeTicket
from bot.playground.vendors.slack.tokens import BotToken
from bot.playground.vendors.slack.wire import Json, RefusedError

_ID_TOKEN_LIFE = 300  # Slack's id tokens live five minutes


@dataclass(frozen=True, slots=True)
class _SignedIn:
    team_id: str
    user_id: str
    scopes: tuple[str, ...]


class OpenId:
    """Answers `oauth.v2.access`, `openid.connect.token` and `openid.connect.userInfo`."""

    def __init__(self, state: SlackState) -> None:
        self._state = state
        self._key = RSAKey.generate_key(2048, parameters={"kid": "stand-in-1", "use": "sig", "alg": "RS256"})
        self._user_tokens: dict[str, _SignedIn] = {}

    @property
    def issuer(self) -> str:
        """The `iss` of the id tokens."""
        return self._state.config.issuer or self._state.base_url

    def jwks(self) -> Json:
        """The public key, as a key set."""
        return {"keys": [self._key.as_dict(private=False)]}

    def discovery(self) -> Json:
        """The `.well-known/openid-configuration` document."""
        base = self._state.base_url
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{base}/openid/connect/authorize",
            "token_endpoint": f"{base}/api/openid.connect.token",
            "userinfo_endpoint": f"{base}/api/openid.connect.userInfo",
            "jwks_uri": f"{base}/openid/connect/keys",
            "scopes_supported": ["openid", "profile", "email"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["sub", "auth_time", "iss"],
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": True,
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        }

    def redirect_allowed(self, uri: str) -> bool:
        """Slack's rule: the registered address or a subdirectory of it; HTTPS, and no fragment."""
        try:
            asked = urlsplit(uri)
        except ValueError:
            return False
        if asked.fragment or "#" in uri or asked.username is not None or "/.." in asked.path or "\\" in uri:
            return False
        if asked.scheme != "https" and not (asked.scheme == "http" and self._state.app.accept_insecure_redirects):
            return False
        for registered in map(urlsplit, self._state.app.redirect_urls):
            same_place = (asked.scheme, asked.netloc) == (registered.scheme, registered.netloc)
            root = registered.path.rstrip("/")
            if same_place and (
                asked.path == registered.path or asked.path.startswith(root + "/") or asked.path == root
            ):
                return True
        return False

    def _check_client(self, args: Arguments) -> str:
        client_id, secret = args.client
        if client_id != self._state.app.client_id:
            raise RefusedError("invalid_client_id")
        if not hmac.compare_digest(secret.encode(), self._state.app.client_secret.encode()):
            raise RefusedError("bad_client_secret")
        return client_id

    def _spend(self, args: Arguments, flow: str) -> CodeTicket:
        client_id = self._check_client(args)
        code = args.text("code")
        if not code:
            raise RefusedError("invalid_code")
        return self._state.tickets.use_code(
            code, flow=flow, client_id=client_id, redirect_uri=args.text("redirect_uri")
        )

    def install_access(self, args: Arguments) -> Json:
        """`oauth.v2.access`: a code, or a refresh token where tokens rotate."""
        if args.text("grant_type") == "refresh_token":
            self._check_client(args)
            token = self._state.tokens.refresh(args.required("refresh_token"))
            return self._installed(token, None)
        ticket = self._spend(args, "install")
        token = self._state.tokens.install(ticket.team_id, ticket.scopes)
        self._state.changes.add("installed", team=ticket.team_id)
        return self._installed(token, ticket.user_id)

    def _installed(self, token: BotToken, user_id: str | None) -> Json:
        answer: Json = {
            "access_token": token.value,
            "token_type": "bot",
            "scope": ",".join(token.scopes),
            "app_id": self._state.app.app_id,
            "is_enterprise_install": token.is_org,
        }
        if token.is_org:
            org = self._state.enterprise(token.team_id)
            answer |= {"bot_user_id": org.bot_user_id, "team": None, "enterprise": {"name": org.name, "id": org.id}}
        else:
            space = self._state.workspace(token.team_id)
            org_of = space.enterprise
            answer |= {
                "bot_user_id": space.config.bot_user_id,
                "team": {"name": space.config.name, "id": space.id},
                "enterprise": {"name": org_of.name, "id": org_of.id} if org_of else None,
            }
        if user_id:
            answer["authed_user"] = {"id": user_id}
        if token.refresh:
            answer |= {"refresh_token": token.refresh, "expires_in": self._state.config.timing.token_life}
        return answer

    def token(self, args: Arguments) -> Json:
        """`openid.connect.token`."""
        if (grant := args.text("grant_type")) not in (None, "authorization_code"):
            raise RefusedError("invalid_grant_type" if grant != "refresh_token" else "token_rotation_not_enabled")
        ticket = self._spend(args, "openid")
        workspace = self._state.workspace(ticket.team_id)
        user = workspace.user(ticket.user_id)
        value = "xoxp-" + secrets.token_hex(24)
        self._user_tokens[value] = _SignedIn(workspace.id, user.id, ticket.scopes)
        now = int(self._state.time())
        claims: Json = {
            "iss": self.issuer,
            "aud": self._state.app.client_id,
            "iat": now,
            "exp": now + _ID_TOKEN_LIFE,
            "auth_time": now,
            "at_hash": hashlib.sha256(value.encode()).hexdigest()[:22],
            **self._claims(workspace, user, ticket.scopes),
        }
        if ticket.nonce is not None:
            claims["nonce"] = ticket.nonce
        id_token = jwt.encode({"alg": "RS256", "kid": "stand-in-1", "typ": "JWT"}, claims, self._key)
        return {"access_token": value, "token_type": "Bearer", "id_token": id_token}

    def _claims(self, workspace: Workspace, user: UserConfig, scopes: tuple[str, ...]) -> Json:
        claims: Json = {
            "sub": user.id,
            "https://slack.com/user_id": user.id,
            "https://slack.com/team_id": workspace.id,
        }
        if "email" in scopes:
            claims |= {"email": user.email, "email_verified": True, "date_email_verified": 1_700_000_000}
        if "profile" in scopes:
            first, _, rest = user.real_name.partition(" ")
            claims |= {"name": user.real_name, "given_name": first, "family_name": rest, "locale": "en-US"}
            claims |= {
                "https://slack.com/team_name": workspace.config.name,
                "https://slack.com/team_domain": workspace.config.domain,
            }
        return claims

    def user_info(self, value: str | None) -> Json:
        """`openid.connect.userInfo` for a token of `openid.connect.token`."""
        if not value:
            raise RefusedError("not_authed")
        found = self._user_tokens.get(value)
        if found is None:
            raise RefusedError("invalid_auth")
        workspace = self._state.workspace(found.team_id)
        return self._claims(workspace, workspace.user(found.user_id), found.scopes)
