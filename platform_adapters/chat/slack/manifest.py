"""The app's manifest, made from the catalogue: what one pastes at api.slack.com/apps to have the app there.

Fields and limits: the manifest schema 2 (slackapi/manifest-schema).
"""

import json
from collections.abc import Mapping, Sequence

from commands.catalogue import COMMANDS
from platform_adapters.chat.slack.lifecycle import LIFECYCLE_EVENTS
from platform_adapters.chat.slack.payloads import HOME_OPENED
from platform_adapters.chat.slack.sign_in import SCOPES as SIGN_IN_SCOPES

EVENTS_PATH = "/slack/events"
NEEDED_SCOPES = ("commands", "chat:write")
EMAIL_SCOPES = ("users:read", "users:read.email")
"""For messages to people of whom only an email address is known, for time zones, and to know who left."""

CHANNEL_SCOPES = ("channels:read", "groups:read")
"""To know of a channel whether people of other companies read it."""
BOT_SCOPES = (*NEEDED_SCOPES, *EMAIL_SCOPES, *CHANNEL_SCOPES)
EVENTS = (HOME_OPENED, *LIFECYCLE_EVENTS)


def manifest(
    *, name: str = "lapsebot", public_url: str, redirect_urls: Sequence[str], socket_mode: bool
) -> Mapping[str, object]:
    """Build the manifest. `public_url` has no slash at the end; Slack reaches it only where `socket_mode` is off."""
    address = {} if socket_mode else {"url": public_url + EVENTS_PATH}
    request = {} if socket_mode else {"request_url": public_url + EVENTS_PATH}
    return {
        "display_information": {
            "name": name,
            "description": "Says when an ad or social account stops working, and lets you reconnect it.",
            "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,  # commands are typed there too
            },
            "bot_user": {"display_name": name, "always_online": True},
            "slash_commands": [
                {
                    "command": f"/{command.name}",
                    "description": command.description,
                    "usage_hint": command.usage,
                    "should_escape": True,  # people and channels arrive as ids
                    **address,
                }
                for command in COMMANDS
            ],
        },
        "oauth_config": {
            "redirect_urls": list(redirect_urls),
            "scopes": {"bot": list(BOT_SCOPES), "user": list(SIGN_IN_SCOPES)},
        },
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS), **request},
            "interactivity": {"is_enabled": True, **request},
            "org_deploy_enabled": True,  # an organization's administrators may, nobody has to
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": False,  # Slack does not let one turn it off again
        },
    }


def manifest_json(*, name: str = "lapsebot", public_url: str, redirect_urls: Sequence[str], socket_mode: bool) -> str:
    """The manifest as text to paste."""
    whole = manifest(name=name, public_url=public_url, redirect_urls=redirect_urls, socket_mode=socket_mode)
    return json.dumps(whole, indent=2, ensure_ascii=False)
