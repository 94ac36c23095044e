"""What the stand-in for Slack is told before it starts: one app, and the workspaces it may be installed in.

Values only. What changes while it runs (installed tokens, messages, the bot's address) lives in `state`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_SCOPES = (
    "commands",
    "chat:write",
    "im:write",
    "users:read",
    "users:read.email",
    "team:read",
    "channels:read",
    "groups:read",
    "im:read",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserConfig:
    """A member of a workspace. `tz` is an IANA zone name."""

    id: str
    name: str
    real_name: str
    email: str
    tz: str = "Europe/Berlin"
    is_bot: bool = False
    is_admin: bool = False
    is_restricted: bool = False
    """A guest of several channels."""
    is_ultra_restricted: bool = False
    """A guest of one channel; Slack sets `is_restricted` with it."""
    deleted: bool = False
    home_team: str = ""
    """The workspace that somebody from outside comes from, who is here through a shared channel; empty: a member."""
    is_org_admin: bool = False
    """May install for the whole organization that the workspace belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseConfig:
    """An Enterprise organization: workspaces name it by its id, which begins with `E`."""

    id: str
    name: str
    domain: str
    bot_user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelConfig:
    """A channel and the ids of the people in it. The bot is a member of it unless `bot_is_member` says no."""

    id: str
    name: str
    members: tuple[str, ...] = ()
    is_private: bool = False
    is_ext_shared: bool = False
    is_archived: bool = False
    bot_is_member: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceConfig:
    """A workspace. `bot_token=None` means that the app is not installed there until somebody goes through OAuth."""

    team_id: str
    name: str
    domain: str
    bot_user_id: str
    bot_token: str | None = None
    users: tuple[UserConfig, ...] = ()
    channels: tuple[ChannelConfig, ...] = ()
    enterprise_id: str | None = None
    only_admins_install: bool = False
    """Members who are no administrators may not let an app in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppConfig:
    """The one app that this Slack knows. `request_url` serves every kind of request that has no address of its own."""

    app_id: str = "A0LAPSEBOT"
    name: str = "lapsebot"
    client_id: str = "1111.2222"
    client_secret: str = "stand-in-client-secret"
    signing_secret: str = "stand-in-signing-secret"
    app_token: str = "xapp-1-stand-in"
    verification_token: str = "deprecated-never-use"
    request_url: str = ""
    command_url: str = ""
    interactivity_url: str = ""
    events_url: str = ""
    redirect_urls: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    """Registered slash commands, with their `/`. Empty: every command is sent to the bot."""
    events: tuple[str, ...] = (
        "app_home_opened",
        "app_uninstalled",
        "tokens_revoked",
        "team_access_granted",
        "team_access_revoked",
        "user_change",
        "channel_archive",
        "channel_deleted",
        "channel_left",
        "channel_rename",
        "channel_unarchive",
        "group_archive",
        "group_deleted",
        "group_left",
        "group_rename",
        "group_unarchive",
        "member_joined_channel",
    )
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    socket_mode: bool = False
    should_escape: bool = True
    token_rotation: bool = False
    accept_insecure_redirects: bool = True
    """Slack wants HTTPS redirect addresses; on loopback there is none."""
    org_deploy_enabled: bool = False
    """The app may be installed for a whole Enterprise organization."""
    image_addresses: tuple[str, ...] = ()
    """What addresses of pictures may begin with beside `https://`; these are fetched when they are posted, as Slack
    does, and refused if no picture comes.
    """

    def url_for(self, kind: str) -> str:
        """The bot's address for `command`, `interactivity` or `events`."""
        own = {
            "command": self.command_url,
            "interactivity": self.interactivity_url,
            "events": self.events_url,
        }[kind]
        return own or self.request_url


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitConfig:
    """Slack's rate limits. On by default; `enabled=False` for tests that are about something else."""

    enabled: bool = True
    channel_rate: float = 1.0
    """Messages a second and channel that `chat.postMessage` sustains."""
    channel_burst: int = 5
    workspace_per_minute: int = 300
    """`chat.postMessage` for a whole workspace: "several hundred messages per minute"."""
    method_per_minute: Mapping[str, int] = field(
        default_factory=lambda: {
            "chat.update": 50,
            "users.lookupByEmail": 50,
            "users.info": 100,
            "conversations.info": 50,
        }
    )
    """Calls a minute and workspace; methods that are not named are not limited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingConfig:
    """Seconds. The defaults are Slack's own; tests shorten those that they wait for."""

    ack_timeout: float = 3.0
    event_retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
    trigger_life: float = 3.0
    response_url_life: float = 1800.0
    code_life: float = 600.0
    token_life: int = 43_200
    """Life of a rotating bot token, where `AppConfig.token_rotation` is on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackConfig:
    """Everything that a stand-in needs. `issuer=""` makes the stand-in's own address the OpenID issuer."""

    workspaces: tuple[WorkspaceConfig, ...]
    enterprises: tuple[EnterpriseConfig, ...] = ()
    app: AppConfig = AppConfig()
    limits: LimitConfig = LimitConfig()
    timing: TimingConfig = TimingConfig()
    issuer: str = "https://slack.com"
