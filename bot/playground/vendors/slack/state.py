"""What one Slack remembers while it runs: workspaces with people, channels, messages and views; the app's tokens.

Plain memory, one event loop, nothing written to disk. Rules of the API live in the `methods_*` modules, not here.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.playground.vendors.slack.changes import ChangeLog
from bot.playground.vendors.slack.config import (
    AppConfig,
    ChannelConfig,
    EnterpriseConfig,
    SlackConfig,
    UserConfig,
    WorkspaceConfig,
)
from bot.playground.vendors.slack.faults import FaultBook
from bot.playground.vendors.slack.images import Images
from bot.playground.vendors.slack.limits import RateLimiter
from bot.playground.vendors.slack.tickets import Tickets
from bot.playground.vendors.slack.tokens import Tokens
from bot.playground.vendors.slack.wire import Json, RefusedError, new_id

SLACKBOT = "USLACKBOT"


@dataclass(slots=True, kw_only=True)
class Message:
    """One message. `only_for` names the single person who sees an ephemeral one."""

    ts: str
    channel_id: str
    author: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    from_app: bool = False
    only_for: str | None = None
    edited_ts: str | None = None
    thread_ts: str | None = None
    metadata: Json | None = None
    options: Json = field(default_factory=dict)
    """`parse`, `link_names`, `mrkdwn`, `unfurl_links`, `unfurl_media`, `client_msg_id`: kept as they were sent."""


@dataclass(slots=True, kw_only=True)
class Conversation:
    """A channel, or the direct messages between the app and one person (`im_user`)."""

    id: str
    config: ChannelConfig
    im_user: str | None = None

    @property
    def members(self) -> tuple[str, ...]:
        """The people in it, the app not counted."""
        return (self.im_user,) if self.im_user else self.config.members


@dataclass(slots=True, kw_only=True)
class View:
    """A modal or an App Home as it is now. `wire` is what the API returns and payloads carry."""

    id: str
    user_id: str
    wire: Json
    filled: Json = field(default_factory=dict)
    """What the person had filled in when it was refused: `{block_id: {action_id: chosen}}`."""
    errors: dict[str, str] = field(default_factory=dict)
    """What stands beside the fields, by `block_id`."""


class Workspace:
    """A team: people, conversations, messages, open modals, published App Homes."""

    def __init__(self, config: WorkspaceConfig, enterprise: EnterpriseConfig | None = None) -> None:
        self.config = config
        self.enterprise = enterprise
        self.users: dict[str, UserConfig] = {user.id: user for user in config.users}
        self.conversations = {channel.id: Conversation(id=channel.id, config=channel) for channel in config.channels}
        self.messages: list[Message] = []
        self.views: dict[str, View] = {}
        self.modals: dict[str, list[str]] = {}
        self.homes: dict[str, str] = {}
        self._last_ts = 0

    @property
    def id(self) -> str:
        """The team's id."""
        return self.config.team_id

    def next_ts(self) -> str:
        """A message time that no other message of the workspace has."""
        self._last_ts = max(self._last_ts + 1, int(time.time() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def user(self, user_id: str) -> UserConfig:
        """The member; refused with `user_not_found`."""
        if found := self.users.get(user_id):
            return found
        raise RefusedError("user_not_found")

    def direct(self, user_id: str) -> Conversation:
        """The app's direct messages with a person, made when it is not there yet."""
        channel_id = "D" + user_id[1:]
        if channel_id not in self.conversations:
            config = ChannelConfig(id=channel_id, name="directmessage", is_private=True)
            self.conversations[channel_id] = Conversation(id=channel_id, config=config, im_user=user_id)
        return self.conversations[channel_id]

    def sees(self, user_id: str, message: Message) -> bool:
        """Whether the person has this message before them."""
        conversation = self.conversations.get(message.channel_id)
        return conversation is not None and user_id in conversation.members and message.only_for in (None, user_id)

    def find(self, channel_id: str, ts: str) -> Message | None:
        """The message of that time, ephemeral ones included."""
        return next(
            (m for m in reversed(self.messages) if m.ts == ts and m.channel_id == channel_id),
            None,
        )


class SlackState:
    """Everything, wired together. `skew` moves the clock by which things expire; message times are real."""

    def __init__(self, config: SlackConfig, clock: Callable[[], float]) -> None:
        self.config = config
        self.app: AppConfig = config.app
        self.skew = 0.0
        self._clock = clock
        self.base_url = ""
        self.enterprises = {each.id: each for each in config.enterprises}
        self.workspaces = {
            each.team_id: Workspace(each, self.enterprises[each.enterprise_id] if each.enterprise_id else None)
            for each in config.workspaces
        }
        self.images = Images()
        self.changes = ChangeLog()
        self.faults = FaultBook()
        self.limits = RateLimiter(config.limits, self.now)
        self.tickets = Tickets(config.timing, self.now)
        self.tokens = Tokens(config, self.now)
        self.accepted: list[Json] = []
        self.replies: list[Json] = []
        self.problems: list[Json] = []
        self.signed_in: tuple[str, str] | None = None

    def time(self) -> float:
        """What Slack calls the time, in what it signs: the clock given, without `skew`."""
        return self._clock()

    def now(self) -> float:
        """Seconds by which tokens, codes and limits are judged."""
        return self._clock() + self.skew

    def workspace(self, team_id: str) -> Workspace:
        """The workspace; refused with `team_not_found`."""
        if found := self.workspaces.get(team_id):
            return found
        raise RefusedError("team_not_found")

    def enterprise(self, enterprise_id: str) -> EnterpriseConfig:
        """The Enterprise organization; refused with `enterprise_not_found`."""
        if found := self.enterprises.get(enterprise_id):
            return found
        raise RefusedError("enterprise_not_found")

    def set_app(self, **changes: object) -> None:
        """Change the app's configuration, as one would on its settings page."""
        self.app = replace(self.app, **changes)  # type: ignore[arg-type]  # names are checked by replace itself
        self.tokens.app = self.app
        self.changes.add("app")

    def add_message(self, workspace: Workspace, message: Message) -> Message:
        """Put a message into its channel and tell those who wait."""
        workspace.messages.append(message)
        self.told("message", workspace, message)
        return message

    def told(self, kind: str, workspace: Workspace, message: Message) -> None:
        """Record a change of a message."""
        self.changes.add(
            kind,
            team=workspace.id,
            channel=message.channel_id,
            ts=message.ts,
            user=message.only_for or message.author,
        )

    def slackbot_says(self, workspace: Workspace, channel_id: str, user_id: str, text: str) -> None:
        """A note from Slack itself that one person sees, such as a command that failed."""
        note = Message(
            ts=workspace.next_ts(),
            channel_id=channel_id,
            author=SLACKBOT,
            text=text,
            only_for=user_id,
        )
        self.add_message(workspace, note)

    def problem(self, where: str, error: str, **about: object) -> None:
        """Record something wrong that the app sent where Slack has no way to answer (an ack's body)."""
        self.problems.append({"id": new_id("P"), "where": where, "error": error, **about})
        self.changes.add("problem", where=where, error=error)

    def message_wire(self, workspace: Workspace, message: Message) -> Json:
        """A message as the API and payloads show it."""
        wire: Json = {
            "type": "message",
            "ts": message.ts,
            "user": message.author,
            "text": message.text,
            "team": workspace.id,
        }
        if message.from_app:
            wire |= {
                "bot_id": "B" + self.app.app_id[1:],
                "app_id": self.app.app_id,
                "blocks": message.blocks,
            }
        if message.attachments:
            wire["attachments"] = message.attachments
        if message.thread_ts:
            wire["thread_ts"] = message.thread_ts
        if message.edited_ts:
            wire["edited"] = {"user": message.author, "ts": message.edited_ts}
        if message.metadata:
            wire["metadata"] = message.metadata
        return wire
