"""A network's settings: LAPSEBOT_<NETWORK>_CLIENT_ID and _CLIENT_SECRET, and, for gateways and tests, its addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from commands.errors import SettingError
from commands.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Our app at a network, and where that network is."""

    client_id: str
    client_secret: Secret
    authorize_url: str
    token_url: str
    api_url: str
    """Without a slash at the end."""


def read_credentials(
    environment: Mapping[str, str], slug: str, *, authorize_url: str, token_url: str, api_url: str
) -> Credentials | None:
    """Read a network's settings; None where it has none. Raises SettingError for half of a pair or a bad address."""
    prefix = f"LAPSEBOT_{slug.upper()}_"
    client_id, secret = environment.get(f"{prefix}CLIENT_ID", ""), environment.get(f"{prefix}CLIENT_SECRET", "")
    if not client_id and not secret:
        return None
    for name, value in (("CLIENT_ID", client_id), ("CLIENT_SECRET", secret)):
        if not value:
            raise SettingError(prefix + name, "is missing, while the other half of the pair is set")
    return Credentials(
        client_id=client_id,
        client_secret=Secret(secret),
        authorize_url=_address(environment, f"{prefix}AUTHORIZE_URL", authorize_url),
        token_url=_address(environment, f"{prefix}TOKEN_URL", token_url),
        api_url=_address(environment, f"{prefix}API_URL", api_url).rstrip("/"),
    )


def _address(environment: Mapping[str, str], name: str, default: str) -> str:
    value = environment.get(name) or default
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise SettingError(name, "must be an address that begins with https://")
    return value
