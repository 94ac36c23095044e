"""Sign-in with Discord: OAuth that proves who is at the browser (P-6). The grant is used once and not kept.

Discord's OAuth has no nonce; the state, bound to the browser by the pages, stands alone.
"""

from urllib.parse import urlencode

import aiohttp

from commands.errors import SignInError
from commands.ports.chat import SignedIn
from platform_adapters.chat.discord.markup import PLATFORM
from platform_adapters.chat.discord.settings import DiscordSettings

_TIMEOUT = aiohttp.ClientTimeout(total=10.0, sock_connect=3.0)
_LONGEST_CODE = 64  # of an error's code that is repeated


class DiscordSignIn:
    """The `SignIn` of Discord, with the scopes `identify email`."""

    def __init__(self, settings: DiscordSettings) -> None:
        self._settings = settings

    def authorize_url(self, *, state: str, nonce: str, redirect_uri: str, tenant: str | None) -> str:
        """Build the address of Discord's login."""
        asked = {
            "client_id": self._settings.client_id,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "scope": "identify email",
            "state": state,
            "prompt": "none",  # who has agreed before is not asked again
        }
        return f"{self._settings.authorize_url}?{urlencode(asked)}"

    async def complete(self, *, code: str, nonce: str, redirect_uri: str) -> SignedIn:
        """Exchange the code and ask who it stands for. Raises SignInError."""
        try:
            async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
                token = await self._exchange(session, code, redirect_uri)
                return await self._who(session, token)
        except (aiohttp.ContentTypeError, ValueError, KeyError, TypeError) as error:
            raise SignInError("malformed_reply") from error
        except (aiohttp.ClientError, OSError) as error:
            raise SignInError("unreachable") from error

    async def credentials_fit(self) -> bool:
        """Whether Discord knows the client id with its secret. Raises SignInError where it cannot be told."""
        form = {"grant_type": "client_credentials", "scope": "identify"}
        try:
            async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
                async with session.post(self._token_url, data=form, headers=self._client()) as response:
                    if response.status == 401:
                        return False
                    if response.status >= 429:
                        raise SignInError(str(response.status))
                    answer = await response.json()
                    return not (isinstance(answer, dict) and answer.get("error") == "invalid_client")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SignInError("unreachable") from error

    @property
    def _token_url(self) -> str:
        return f"{self._settings.api_url}/oauth2/token"

    def _client(self) -> dict[str, str]:
        authorization = aiohttp.encode_basic_auth(self._settings.client_id, self._settings.client_secret.reveal())
        return {"Authorization": authorization}

    async def _exchange(self, session: aiohttp.ClientSession, code: str, redirect_uri: str) -> str:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        async with session.post(self._token_url, data=form, headers=self._client()) as response:
            answer = await response.json()
            if response.status != 200:
                raise SignInError(_code(answer, response.status))
            granted = str(answer.get("scope", "")).split()
            if "identify" not in granted or str(answer["token_type"]).lower() != "bearer":
                raise SignInError("scope_missing")
            return str(answer["access_token"])

    async def _who(self, session: aiohttp.ClientSession, token: str) -> SignedIn:
        address, bearer = f"{self._settings.api_url}/users/@me", {"Authorization": f"Bearer {token}"}
        async with session.get(address, headers=bearer) as response:
            if response.status != 200:
                raise SignInError(f"identity_{response.status}")
            user = await response.json()
        identifier = user["id"]
        if not (isinstance(identifier, str) and identifier.isascii() and identifier.isdigit()):
            raise SignInError("malformed_reply")
        email = user.get("email") if user.get("verified") is True else None
        return SignedIn(
            platform=PLATFORM,
            tenant="",
            user=identifier,
            name=str(user.get("global_name") or user["username"]),
            email=email.lower() if isinstance(email, str) and email else None,
        )


def _code(answer: object, status: int) -> str:
    """The error's code in OAuth's form, if it is one."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, str) and error.replace("_", "").isalnum() and len(error) <= _LONGEST_CODE:
        return error
    return str(status)
