"""YouTube: Google's login, bound to the one channel that was chosen at it.

Sources: developers.google.com/youtube/v3 (channels.list, errors). A list without entries has no "items" at all. Who
logged in is the channel, not the Google account: one person may hold several, each under a grant of its own, and the
permissions that tell a person's name are said to hang on some brand accounts.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta

from commands.errors import NetworkError
from commands.model import Finding, Tokens, Verdict
from commands.ports.chat import Diagnosis
from commands.ports.clock import Clock
from commands.ports.network import (
    Begun,
    CauseText,
    Discovery,
    Expected,
    Grant,
    Grouping,
    NetworkSpec,
    Permission,
    Probe,
    ReachedAccount,
)
from platform_adapters.networks import google
from platform_adapters.networks.answers import (
    Reply,
    found,
    healthy,
    malformed,
    number,
    part,
    rows,
    text,
)
from platform_adapters.networks.credentials import Credentials, read_credentials
from platform_adapters.networks.examples import Example
from platform_adapters.networks.oauth import (
    NetworkClient,
    bearer,
)

_READ = "https://www.googleapis.com/auth/youtube.readonly"
_REPORTS = "https://www.googleapis.com/auth/yt-analytics.readonly"

SPEC = NetworkSpec(
    slug="youtube",
    name="YouTube",
    aliases=("yt", "you-tube"),
    grouping=Grouping.SUMMARY,
    permissions=(
        Permission(label="View your YouTube account", satisfied_by=frozenset({_READ})),
        Permission(label="View YouTube Analytics reports for your YouTube content", satisfied_by=frozenset({_REPORTS})),
    ),
    parent_label=None,
    login_label="the Google login that owns or manages the channel",
    reconnect_requirement="a Google login that is owner or manager of the channel",
    stops=("views and audience reports", "video statistics"),
    checklist=(
        "Have the Google login at hand that owns or manages the channel {account}.",
        "Google asks twice whom to use: first the Google account, then the channel. Choose {account} there.",
        "Leave both boxes ticked on Google's page: {permissions}.",
    ),
    steps=(
        "Choose the Google account.",
        "Choose the channel, which Google may call a brand account.",
        "Leave both boxes ticked and press Continue.",
    ),
    switch_login="Google asks twice, and shows whom it would use: choose the Google account first, then the channel, "
    "which it may call a brand account.",
    re_asks=True,  # include_granted_scopes: what was granted stays granted
    refused_by=google.REFUSED_BY,
    detects=frozenset(
        {
            Verdict.EXPIRED,
            Verdict.REVOKED,
            Verdict.USER_BLOCKED,
            Verdict.PERMISSION_MISSING,
            Verdict.ROLE_LOST,
            Verdict.ACCOUNT_GONE,
            Verdict.ACCOUNT_DISABLED,
            Verdict.ADMIN_BLOCK,
        }
    ),
    causes={
        **google.LOGIN_CAUSES,
        Verdict.ROLE_LOST: CauseText(
            happened="The channel is there, but this Google login no longer has it: its role was taken away, or the "
            "channel went to another Google account.",
            mend="Whoever has the channel now can reconnect it; an owner can give the role back in YouTube Studio.",
            not_helping="Reconnecting with the same login will not help before that.",
        ),
        Verdict.ACCOUNT_GONE: CauseText(
            happened="The login works, but YouTube says that the channel was closed or deleted.",
            mend="The channel's owner can check in YouTube Studio whether it can be brought back.",
            not_helping="Reconnecting will not help until that is solved.",
        ),
        Verdict.ACCOUNT_DISABLED: CauseText(
            happened="YouTube has suspended this channel.",
            mend="The channel's owner can appeal in YouTube Studio; we notice when it is back.",
            not_helping="Reconnecting will not help.",
        ),
    },
    uses_pkce=True,
    # A look costs one of the 10,000 units that YouTube gives an app a day, whatever the number of channels.
    check_interval=timedelta(hours=4),
)

_CHANNELS = "channels"
_OTHER = "other_channel"
_NAMELESS = "a Google login without a channel that we can see"
_CODES: Mapping[str, Verdict] = {
    "accountDelegationForbidden": Verdict.ROLE_LOST,
    "authenticatedUserAccountClosed": Verdict.ACCOUNT_GONE,
    "channelClosed": Verdict.ACCOUNT_GONE,
    "channelNotFound": Verdict.ACCOUNT_GONE,
    "authenticatedUserNotChannel": Verdict.ACCOUNT_GONE,
    "youtubeSignupRequired": Verdict.ACCOUNT_GONE,
    "authenticatedUserAccountSuspended": Verdict.ACCOUNT_DISABLED,
    "channelSuspended": Verdict.ACCOUNT_DISABLED,
}
_NO_CHANNEL = frozenset({"authenticatedUserNotChannel", "youtubeSignupRequired"})
_OF_THE_CHANNEL = frozenset({Verdict.ROLE_LOST, Verdict.ACCOUNT_GONE, Verdict.ACCOUNT_DISABLED})


def classify(reply: Reply) -> Finding | None:
    """YouTube's table: the reason decides, then what it shares with all of Google's APIs."""
    return google.classify(reply, _CODES, google.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Channel:
    id: str
    title: str


class YouTube:
    """YouTube with our app's credentials."""

    spec = SPEC

    def __init__(self, credentials: Credentials, clock: Clock, *, alone: bool) -> None:
        self._client = NetworkClient(credentials, clock, classify)
        self._login = google.GoogleLogin(SPEC, f"{_READ} {_REPORTS}", credentials, clock, self._client, alone=alone)

    def running(self) -> AbstractAsyncContextManager[None]:
        return self._client.running()

    @property
    def login_url(self) -> str:
        return self._client.login_url

    async def begin(
        self, *, state: str, redirect_uri: str, code_challenge: str | None, login_hint: str | None, again: bool
    ) -> Begun:
        # Without the chooser Google skips the question for the channel, and the personal one is connected. What a
        # login is known by here is its channel's name, which is no hint for Google.
        return self._login.begin(
            state=state, redirect_uri=redirect_uri, code_challenge=code_challenge, login_hint=None, chooser=True
        )

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        code = answer.get("code", "")
        return await self._login.exchange(code=code, redirect_uri=redirect_uri, code_verifier=code_verifier)

    async def refresh(self, tokens: Tokens) -> Grant | None:
        return await self._login.refresh(tokens)

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        try:
            return await self._login.living(tokens, lambda living: self._look(living, expected))
        except NetworkError as error:
            return Probe(grant=error.finding)

    async def discover(self, tokens: Tokens) -> Discovery:
        held = await self._login.held(tokens)
        channel = await self._own(tokens) if _READ in held.scopes else None
        if channel is None:
            return Discovery(subject_id="", subject_name=_NAMELESS, granted=held.scopes, accounts=())
        account = ReachedAccount(account_id=channel.id, name=channel.title, parent=None, finding=healthy(_CHANNELS))
        return Discovery(subject_id=channel.id, subject_name=channel.title, granted=held.scopes, accounts=(account,))

    async def revoke(self, tokens: Tokens) -> None:
        await self._login.revoke(tokens)

    async def diagnose(self) -> Sequence[Diagnosis]:
        return await self._login.diagnose()

    async def _look(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        own: _Channel | NetworkError | None
        try:
            own = await self._own(tokens)
        except NetworkError as error:
            if error.finding.verdict not in {Verdict.PERMISSION_MISSING, *_OF_THE_CHANNEL}:
                raise
            own = error
        lacking = self._login.lacking(await self._login.held(tokens))
        if lacking is not None:
            return Probe(grant=lacking)
        if isinstance(own, NetworkError):
            return _of_the_channel(own, expected)
        here = own.id if own is not None else ""
        elsewhere = [item.account_id for item in expected if item.account_id != here]
        accounts = {item.account_id: healthy(_CHANNELS) for item in expected if item.account_id == here}
        return Probe(grant=healthy(_CHANNELS), accounts={**accounts, **await self._elsewhere(tokens, elsewhere)})

    async def _own(self, tokens: Tokens) -> _Channel | None:
        """The channel that this login stands for; None where it has none. Raises NetworkError."""
        try:
            reply = await self._channels(tokens, part="id,snippet", mine="true")
        except NetworkError as error:
            if error.finding.evidence.code in _NO_CHANNEL:
                return None
            raise
        channels = _listed(reply)
        return channels[0] if channels else None

    async def _elsewhere(self, tokens: Tokens, channel_ids: Sequence[str]) -> Mapping[str, Finding]:
        """What became of channels that this login does not stand for: anybody may look whether they are there.

        One that went to another Google account is the new holder's to reconnect, so it is no account that "moved",
        for which a reconnect would not be offered.
        """
        if not channel_ids:
            return {}
        try:
            reply = await self._channels(tokens, part="id", id=",".join(channel_ids))
        except NetworkError as error:
            if error.finding.verdict not in _OF_THE_CHANNEL:
                raise
            return dict.fromkeys(channel_ids, error.finding)
        there = {channel.id for channel in _listed(reply)}
        return {
            channel_id: found(Verdict.ROLE_LOST if channel_id in there else Verdict.ACCOUNT_GONE, reply, _OTHER)
            for channel_id in channel_ids
        }

    async def _channels(self, tokens: Tokens, **query: str) -> Reply:
        return await self._client.ask(_CHANNELS, "GET", "/channels", headers=bearer(tokens), query=query)


def _of_the_channel(error: NetworkError, expected: Sequence[Expected]) -> Probe:
    """A refusal that speaks of the channel says nothing against the login; one about permissions contradicts it."""
    if error.finding.verdict not in _OF_THE_CHANNEL:
        evidence = error.finding.evidence
        return Probe(grant=Finding(verdict=Verdict.UNCLEAR, evidence=evidence))
    return Probe(grant=healthy("tokeninfo"), accounts={item.account_id: error.finding for item in expected})


def _listed(reply: Reply) -> Sequence[_Channel]:
    """The channels of an answer. Raises NetworkError where it is not a list of channels, which is not "none"."""
    channels = [
        _Channel(id=text(row, "id"), title=text(part(row, "snippet"), "title") or text(row, "id"))
        for row in rows(reply.body, "items")
    ]
    total = number(part(reply.body, "pageInfo"), "totalResults")
    if any(not channel.id for channel in channels) or (not channels and total != 0):
        raise NetworkError(malformed(reply))
    return channels


def build(environment: Mapping[str, str], clock: Clock) -> YouTube | None:
    """YouTube, if it has credentials. Raises SettingError."""
    credentials = read_credentials(
        environment,
        SPEC.slug,
        authorize_url=google.AUTHORIZE_URL,
        token_url=google.TOKEN_URL,
        api_url="https://www.googleapis.com/youtube/v3",
    )
    if credentials is None:
        return None
    alone = google.alone_in_project(environment, SPEC.slug, credentials.client_id)
    return YouTube(credentials, clock, alone=alone)


def _example(status: int, verdict: Verdict | None, reason: str) -> Example:
    error = {"code": status, "errors": [{"domain": "youtube", "reason": reason}]}
    return Example(reply=Reply(check=_CHANNELS, status=status, body={"error": error}), verdict=verdict)


EXAMPLES = (
    Example(
        reply=Reply(check=_CHANNELS, status=200, body={"pageInfo": {"totalResults": 0, "resultsPerPage": 5}}),
        verdict=None,
    ),
    _example(403, Verdict.UNCLEAR, "forbidden"),
    _example(403, Verdict.THROTTLED, "quotaExceeded"),
    _example(403, Verdict.ROLE_LOST, "accountDelegationForbidden"),
    _example(403, Verdict.ACCOUNT_GONE, "authenticatedUserAccountClosed"),
    _example(403, Verdict.ACCOUNT_DISABLED, "authenticatedUserAccountSuspended"),
    _example(403, Verdict.ACCOUNT_GONE, "authenticatedUserNotChannel"),
    _example(403, Verdict.ACCOUNT_GONE, "channelClosed"),
    _example(403, Verdict.ACCOUNT_DISABLED, "channelSuspended"),
    _example(404, Verdict.ACCOUNT_GONE, "channelNotFound"),
    _example(403, Verdict.PERMISSION_MISSING, "insufficientPermissions"),
    _example(401, Verdict.REVOKED, "authorizationRequired"),
    _example(401, Verdict.ACCOUNT_GONE, "youtubeSignupRequired"),
    _example(403, Verdict.UNCLEAR, "neverSeen"),
    *google.LOGIN_EXAMPLES,
)
