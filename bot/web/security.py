"""What keeps a page safe: headers, cookies, the origin of a form, and where forms may lead.

GET changes nothing anywhere. Whatever changes something is a POST with a token that only our own page could give.
"""

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from commands.ports.reconnecting import Session
from commands.secret import hashed

SECRET_BYTES = 32  # 256 bits, in sessions, states and what binds a login to a browser
LOGIN_COOKIE_LIFE = 600  # seconds, as long as an attempt
SESSION = "session"
FORM = "form"


@dataclass(frozen=True, slots=True)
class Cookies:
    """Our cookies. `__Host-` and Secure where the public address is HTTPS; on a loopback address neither would work."""

    secure: bool

    def _name(self, kind: str) -> str:
        return f"{'__Host-' if self.secure else ''}lapsebot-{kind}"

    def read(self, request: web.Request, kind: str) -> str | None:
        """The cookie's value, if the browser sent one."""
        value = request.cookies.get(self._name(kind))
        return value if value and value.isascii() else None

    def set(self, response: web.StreamResponse, kind: str, value: str, *, life: int | None = None) -> None:
        """Set a cookie for `life` seconds, or for as long as the browser runs.

        Lax: the way back from a login is a navigation from elsewhere, on which Strict cookies stay at home.
        """
        response.set_cookie(
            self._name(kind), value, max_age=life, path="/", secure=self.secure, httponly=True, samesite="Lax"
        )

    def drop(self, response: web.StreamResponse, kind: str) -> None:
        """Have the browser forget a cookie."""
        response.del_cookie(self._name(kind), path="/", secure=self.secure, httponly=True, samesite="Lax")


def new_secret() -> str:
    """A random text for a cookie, a state or a nonce."""
    return secrets.token_urlsafe(SECRET_BYTES)


def login_cookie(state: str) -> str:
    """The cookie that binds one login to this browser: one for each, so that two tabs do not disturb each other."""
    return f"login-{hashed(f'cookie {state}').hex()[:16]}"


def pass_cookie(secret: str) -> str:
    """The cookie that binds a personal link to this browser."""
    return f"pass-{hashed(f'cookie {secret}').hex()[:16]}"


def form_token(secret: str, path: str, session: Session | None) -> str:
    """The token of a form that posts to `path`, for this browser and session."""
    text = f"{path} {session.id if session else ''}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def from_our_page(request: web.Request, public_url: str) -> bool:
    """Whether a POST came from a page of ours, as far as the browser says.

    Our pages send no referrer, for which browsers write `Origin: null`; where they say no more, the token decides.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("Origin", "null") in ("null", _origin(public_url))


def headers(*, https: bool, forms_to: Iterable[str]) -> dict[str, str]:
    """The headers of every page.

    `forms_to`: addresses that a form of the page is redirected to, which Chrome blocks unless they are allowed.
    """
    targets = " ".join(["'self'", *dict.fromkeys(source for url in forms_to if url for source in _form_sources(url))])
    policy = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {targets}; frame-ancestors 'none'; "
        "base-uri 'none'; object-src 'none'"
    )
    found = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Robots-Tag": "noindex, nofollow",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    }
    if https:
        # Without includeSubDomains: the public address may be an operator's whole domain, and its others are not ours.
        found["Strict-Transport-Security"] = "max-age=31536000"
    return found


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _form_sources(url: str) -> tuple[str, ...]:
    """Where a form that leads to this address may end up.

    A vendor's login may redirect among the vendor's hosts (www to m, or to a team's own), and Chrome checks every hop:
    the hosts beside and below the first one are allowed with it.
    """
    parts, origin = urlsplit(url), _origin(url)
    host = (parts.hostname or "").lower()
    if parts.scheme != "https" or "." not in host or _is_address(host):
        return (origin,)
    labels = host.split(".")
    parent = host if len(labels) == 2 else ".".join(labels[1:])
    return (origin, f"https://*.{parent}")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
