"""What `doctor` looks at in Discord, and how each thing is mended."""

from collections.abc import Sequence

from commands.errors import DeliveryError, DeliveryErrorKind, SignInError
from commands.ports.chat import Check, Diagnosis
from platform_adapters.chat.discord.rest import Rest
from platform_adapters.chat.discord.settings import BOT_TOKEN, CLIENT_ID, CLIENT_SECRET, DiscordSettings
from platform_adapters.chat.discord.sign_in import DiscordSignIn

_PAGE = 200  # servers that one answer lists, docs: resources/user


async def diagnose(rest: Rest, settings: DiscordSettings, sign_in: DiscordSignIn) -> Sequence[Diagnosis]:
    """Look at the token, the application, its servers and the sign-in. Raises nothing."""
    try:
        found = await _bot(rest, settings)
    except DeliveryError as failure:
        found = [_refused(failure)]
    return [*found, await _signing_in(sign_in)]


async def _bot(rest: Rest, settings: DiscordSettings) -> list[Diagnosis]:
    application = await rest.message("GET", "/applications/@me")
    servers = await rest.request("GET", "/users/@me/guilds")
    return [
        Diagnosis(subject="Discord bot token", check=Check.GOOD, found="Discord accepts it"),
        _application(application, settings),
        _servers(len(servers) if isinstance(servers, list) else 0, settings),
    ]


def _application(application: object, settings: DiscordSettings) -> Diagnosis:
    subject = "Discord application"
    told = application if isinstance(application, dict) else {}
    if told.get("id") != settings.client_id:
        return Diagnosis(
            subject=subject,
            check=Check.BAD,
            found="The bot token and the client id are of two different applications",
            mend=f"Take {BOT_TOKEN} and {CLIENT_ID} from the same application in Discord's developer portal.",
        )
    if told.get("interactions_endpoint_url"):
        return Diagnosis(
            subject=subject,
            check=Check.BAD,
            found="It sends commands and buttons to a web address, so that none arrive here",
            mend="Clear Interactions Endpoint URL on the application's General Information page.",
        )
    return Diagnosis(subject=subject, check=Check.GOOD, found=f"“{told.get('name', '')}”, {settings.client_id}")


def _servers(count: int, settings: DiscordSettings) -> Diagnosis:
    subject = "Discord servers"
    if not count:
        return Diagnosis(
            subject=subject,
            check=Check.WARNING,
            found="The bot is in none",
            mend=f"Somebody who manages a server opens {settings.install_link()}",
        )
    most = " or more" if count >= _PAGE else ""
    return Diagnosis(subject=subject, check=Check.GOOD, found=f"The bot is in {count}{most}")


def _refused(failure: DeliveryError) -> Diagnosis:
    subject = "Discord bot token"
    if failure.kind is DeliveryErrorKind.INSTALLATION_DEAD:
        return Diagnosis(
            subject=subject,
            check=Check.BAD,
            found=f"Discord does not accept it ({failure.code})",
            mend=f"Reset the token on the application's Bot page, and set {BOT_TOKEN} to the new one.",
        )
    return Diagnosis(
        subject=subject,
        check=Check.WARNING,
        found=f"It could not be checked: Discord did not answer as it should ({failure.code})",
        mend="Try again in a few minutes; discordstatus.com tells of outages.",
    )


async def _signing_in(sign_in: DiscordSignIn) -> Diagnosis:
    subject = "Discord sign-in"
    try:
        fits = await sign_in.credentials_fit()
    except SignInError as error:
        return Diagnosis(
            subject=subject,
            check=Check.WARNING,
            found=f"It could not be checked ({error.code})",
            mend="Try again in a few minutes; discordstatus.com tells of outages.",
        )
    if fits:
        return Diagnosis(subject=subject, check=Check.GOOD, found="Discord accepts the client id and secret")
    return Diagnosis(
        subject=subject,
        check=Check.BAD,
        found="Discord does not accept the client id with this secret",
        mend=f"Reset the secret on the application's OAuth2 page, and set {CLIENT_SECRET} to the new one.",
    )
