"""A loopback Slack: strict test rig for a real slack_bolt app, and the engine behind the playground's Slack side.

Speaks Slack's Web API, signed requests, Socket Mode, OAuth v2 and Sign in with Slack; see `vendor` for how to run it.
"""

from bot.playground.vendors.slack.config import (
    AppConfig,
    ChannelConfig,
    EnterpriseConfig,
    LimitConfig,
    SlackConfig,
    TimingConfig,
    UserConfig,
    WorkspaceConfig,
)
from bot.playground.vendors.slack.html import blocks_to_html, message_to_html, view_to_html
from bot.playground.vendors.slack.people import PlayError, SeenMessage, SeenView, SlackPeople
from bot.playground.vendors.slack.render import Live, Names, live_parts, message_to_text
from bot.playground.vendors.slack.serve import serving
from bot.playground.vendors.slack.vendor import SlackVendor, create_slack_vendor

__all__ = [
    "AppConfig",
    "ChannelConfig",
    "EnterpriseConfig",
    "LimitConfig",
    "Live",
    "Names",
    "PlayError",
    "SeenMessage",
    "SeenView",
    "SlackConfig",
    "SlackPeople",
    "SlackVendor",
    "TimingConfig",
    "UserConfig",
    "WorkspaceConfig",
    "blocks_to_html",
    "create_slack_vendor",
    "live_parts",
    "message_to_html",
    "message_to_text",
    "serving",
    "view_to_html",
]
