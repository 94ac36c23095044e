"""The vendors of the demo: which stand-ins there are, where they are mounted, and the settings that lead the bot there.

Their credentials are made anew at each start and are good for nothing else.
"""

import secrets
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from aiohttp import web

from bot.playground import cast
from bot.playground.vendors import discord, slack
from bot.playground.vendors.networks import AdAccount, App, Business, NetworkConfig, Profile, create_network_vendor

ADDRESSES = {
    "amazon_ads": ("/ap/oa", "/auth/o2/token", ""),
    "google_ads": ("/o/oauth2/v2/auth", "/token", ""),
    "instagram": ("/oauth/authorize", "/oauth/access_token", ""),
    "linkedin": ("/oauth/v2/authorization", "/oauth/v2/accessToken", ""),
    "meta": ("/v26.0/dialog/oauth", "/v26.0/oauth/access_token", "/v26.0"),
    "microsoft_ads": ("/common/oauth2/v2.0/authorize", "/common/oauth2/v2.0/token", "/CustomerManagement/v13"),
    "pinterest": ("/oauth/", "/v5/oauth/token", "/v5"),
    "reddit": ("/api/v1/authorize", "/api/v1/access_token", "/api/v3"),
    "snapchat": ("/login/oauth2/authorize", "/login/oauth2/access_token", "/v1"),
    "tiktok": ("/portal/auth", "/open_api/v1.3/oauth2/access_token/", "/open_api/v1.3"),
    "x": ("/i/oauth2/authorize", "/2/oauth2/token", "/2"),
    "x_ads": ("/oauth/authorize", "/oauth/access_token", "/12"),
    "youtube": ("/o/oauth2/v2/auth", "/token", "/youtube/v3"),
}
"""Where each network has its login, its token endpoint and its API, below its own address."""
MORE_SETTINGS = {"microsoft_ads": {"DEVELOPER_TOKEN": "developer-token"}}
"""What an adapter needs beside its app's credentials."""
TELLING = ("instagram", "meta")
"""Networks that send word of their own when somebody removes the app, to an address that its developer sets."""


class StandIns:
    """Slack, Discord and the networks, as one application to mount or to run alone.

    `vendors_url` is where `app` is reached; `bot_url` where the bot is. `clock` tells Slack the time, in seconds since
    the epoch, and `network_clock` the networks.
    """

    def __init__(
        self,
        *,
        vendors_url: str,
        bot_url: str,
        clock: Callable[[], float] = time.time,
        network_clock: Callable[[], float] = time.time,
        slack_limits: slack.LimitConfig | None = None,
        slack_timing: slack.TimingConfig | None = None,
    ) -> None:
        self._vendors, self._bot = vendors_url.rstrip("/"), bot_url.rstrip("/")
        self._secrets = {name: secrets.token_urlsafe(24) for name in ("slack", "sign", "discord", "bot", *ADDRESSES)}
        self._bot_token = f"xoxb-{secrets.token_hex(16)}"
        self._slack = slack.create_slack_vendor(
            self._slack_config(slack_limits or slack.LimitConfig(), slack_timing or slack.TimingConfig()), clock
        )
        self._discord = discord.create_discord_vendor(self._discord_config())
        self._slack.set_base_url(self.url("slack"))
        self._discord.set_base_url(self.url("discord"))
        self.app = web.Application()
        self.app.add_subapp("/slack/", self._slack.app)
        self.app.add_subapp("/discord/", self._discord.app)
        for network in ADDRESSES:
            self.app.add_subapp(f"/{network}/", create_network_vendor(self._network_config(network, network_clock)))

    def url(self, name: str) -> str:
        """Where one stand-in is reached."""
        return f"{self._vendors}/{name}"

    def send_slack_requests_to(self, path: str) -> None:
        """Set the app's request address at Slack, as its operator does."""
        self._slack.set_app(request_url=self._bot + path)

    def environment(self) -> dict[str, str]:
        """The settings by which the bot finds the stand-ins."""
        found = {
            "LAPSEBOT_SLACK_BOT_TOKEN": self._bot_token,
            "LAPSEBOT_SLACK_SIGNING_SECRET": self._secrets["sign"],
            "LAPSEBOT_SLACK_CLIENT_ID": "1111.2222",
            "LAPSEBOT_SLACK_CLIENT_SECRET": self._secrets["slack"],
            "LAPSEBOT_SLACK_API_URL": self._slack.api_url,
            "LAPSEBOT_SLACK_AUTHORIZE_URL": self._slack.base_url,
            "LAPSEBOT_DISCORD_BOT_TOKEN": self._secrets["bot"],
            "LAPSEBOT_DISCORD_CLIENT_ID": str(cast.DISCORD_BOT),
            "LAPSEBOT_DISCORD_CLIENT_SECRET": self._secrets["discord"],
            "LAPSEBOT_DISCORD_API_URL": self._discord.api_url,
            "LAPSEBOT_DISCORD_AUTHORIZE_URL": self._discord.authorize_url,
            "LAPSEBOT_DISCORD_GATEWAY_URL": self._discord.gateway_url,
            # Whatever proxy this machine uses, the stand-ins are on this side of it.
            "NO_PROXY": ",".join(sorted({urlsplit(self._vendors).hostname or "", "localhost"})),
        }
        for network, (authorize, token, api) in ADDRESSES.items():
            prefix, base = f"LAPSEBOT_{network.upper()}_", self.url(network)
            found |= {
                f"{prefix}CLIENT_ID": f"{network}-app",
                f"{prefix}CLIENT_SECRET": self._secrets[network],
                f"{prefix}AUTHORIZE_URL": base + authorize,
                f"{prefix}TOKEN_URL": base + token,
                f"{prefix}API_URL": base + api,
                **{prefix + name: value for name, value in MORE_SETTINGS.get(network, {}).items()},
            }
        return found

    def _slack_config(self, limits: slack.LimitConfig, timing: slack.TimingConfig) -> slack.SlackConfig:
        users = [
            slack.UserConfig(
                id=one.user,
                name=one.name.split()[0].lower(),
                real_name=one.name,
                email=one.email,
                is_admin=one.part is cast.Part.ADMINISTRATOR,
                tz="UTC",  # as Discord's side has it, so that both tell the same time
            )
            for one in cast.on("slack")
        ]
        channel = slack.ChannelConfig(
            id=cast.SLACK_CHANNEL, name=cast.CHANNEL_NAME, members=tuple(user.id for user in users)
        )
        workspace = slack.WorkspaceConfig(
            team_id=cast.TEAM,
            name=cast.TEAM_NAME,
            domain="north-studio",
            bot_user_id=cast.SLACK_BOT,
            bot_token=self._bot_token,
            users=tuple(users),
            channels=(channel,),
        )
        app = slack.AppConfig(
            client_secret=self._secrets["slack"],
            signing_secret=self._secrets["sign"],
            redirect_urls=(f"{self._bot}/sign-in/cb/slack", f"{self._bot}/install/cb/slack"),
            image_addresses=(f"{self._bot}/",),
        )
        return slack.SlackConfig(workspaces=(workspace,), app=app, limits=limits, timing=timing)

    def _discord_config(self) -> discord.DiscordConfig:
        people = cast.on("discord")
        users = [
            discord.UserConfig(
                id=int(one.user), username=one.name.split()[0].lower(), global_name=one.name, email=one.email
            )
            for one in people
        ]
        guild = discord.GuildConfig(
            id=cast.GUILD,
            name=cast.GUILD_NAME,
            channels=(discord.ChannelConfig(id=cast.DISCORD_CHANNEL, name=cast.CHANNEL_NAME),),
            members=frozenset(user.id for user in users),
            admins=frozenset(int(one.user) for one in people if one.part is cast.Part.ADMINISTRATOR),
        )
        return discord.DiscordConfig(
            bot_token=self._secrets["bot"],
            application_id=cast.DISCORD_BOT,
            client_secret=self._secrets["discord"],
            application_name="lapsebot",
            redirect_uris=frozenset({f"{self._bot}/sign-in/cb/discord"}),
            users=tuple(users),
            guilds=(guild,),
        )

    def _network_config(self, network: str, clock: Callable[[], float]) -> NetworkConfig:
        holdings = [holding for holding in cast.HOLDINGS if holding.network == network]
        profiles = [one for one in cast.PEOPLE if network in one.profiles]
        roles = {holding.id: dict.fromkeys(holding.admins, "ADMIN") for holding in holdings}
        # Everybody who holds anything may look at the business elsewhere, as they would after an account went there.
        elsewhere = {key: "ADMIN" for holding in holdings for key in holding.admins}
        return NetworkConfig(
            network=network,
            apps=[
                App(
                    id=f"{network}-app",
                    secret=self._secrets[network],
                    name="lapsebot",
                    redirect_uris=(f"{self._bot}/oauth/cb/{network}",),
                    deauthorize_url=f"{self._bot}/signals/{network}" if network in TELLING else None,
                )
            ],
            profiles=[Profile(id=one.key, name=one.name, email=one.email) for one in profiles],
            businesses=[
                *(Business(id=holding.id, name=holding.name, roles=roles[holding.id]) for holding in holdings),
                Business(id=cast.ELSEWHERE, name="Elsewhere Media", roles=elsewhere),
            ],
            accounts=[
                AdAccount(id=account_id, name=name, business_id=holding.id, roles=dict(roles[holding.id]))
                for holding in holdings
                for account_id, name in holding.accounts
            ],
            clock=clock,
        )
