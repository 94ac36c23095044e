"""What `doctor` finds about Slack, and how to mend each."""

from collections.abc import Sequence

from commands.errors import DeliveryError, DeliveryErrorKind
from commands.ports.chat import Check, Diagnosis
from platform_adapters.chat.slack.api import SlackApi
from platform_adapters.chat.slack.installations import LOST_CODES, Access, Installations
from platform_adapters.chat.slack.manifest import CHANNEL_SCOPES, EMAIL_SCOPES, EVENTS_PATH, NEEDED_SCOPES
from platform_adapters.chat.slack.settings import PREFIX, SlackSettings

_WISHED = {
    EMAIL_SCOPES: "people known by their email address only cannot be told",
    CHANNEL_SCOPES: "it is not known which channels other companies read",
}
_MOST_TRIED = 50  # installations; more would keep whoever waits for doctor too long
_SCOPES_PAGE = "add them under OAuth & Permissions at api.slack.com/apps, then install the app again"


async def diagnose(api: SlackApi, settings: SlackSettings, installations: Installations) -> Sequence[Diagnosis]:
    """Look at tokens, scopes, the way in, and sign-in. Raises nothing."""
    found: list[Diagnosis] = []
    if installations.has_own_token:
        try:
            access = await installations.ask()
        except DeliveryError as error:
            found.append(_no_token(error))
        else:
            in_workspace = f"accepted for the workspace {access.team_name} ({access.team_id})"
            found += [Diagnosis(subject="Slack bot token", check=Check.GOOD, found=in_workspace), _scopes(access)]
    if settings.client is not None:
        found += await _let_in(api, installations, has_own_token=installations.has_own_token)
    found.append(await _way_in(api, settings))
    found.append(await _sign_in(api, settings))
    return found


def _no_token(error: DeliveryError) -> Diagnosis:
    if error.kind is DeliveryErrorKind.INSTALLATION_DEAD:
        mend = f"install the app again and copy its Bot User OAuth Token into {PREFIX}BOT_TOKEN"
        return Diagnosis(subject="Slack bot token", check=Check.BAD, found=f"refused: {error.code}", mend=mend)
    mend = f"check that this machine reaches Slack, and {PREFIX}API_URL if it is set"
    return Diagnosis(subject="Slack bot token", check=Check.BAD, found=f"Slack did not answer: {error.code}", mend=mend)


async def _let_in(api: SlackApi, installations: Installations, *, has_own_token: bool) -> Sequence[Diagnosis]:
    """The installations that workspaces and organizations gave through their consent page."""
    subject = "Slack workspaces"
    try:
        alive = await installations.all()
    except DeliveryError as error:
        mend = "look at the database and its encryption keys"
        return [Diagnosis(subject=subject, check=Check.BAD, found=f"cannot be read: {error.code}", mend=mend)]
    found: list[Diagnosis] = []
    for each in alive[:_MOST_TRIED]:
        try:
            await api.call("auth.test", token=each.bot_token, tenant=each.tenant)
        except DeliveryError as error:
            check = Check.BAD if error.code in LOST_CODES else Check.WARNING
            mend = "have an administrator of the workspace install the app again, from its install page"
            found.append(
                Diagnosis(
                    subject=f"Slack workspace {each.tenant}", check=check, found=f"refused: {error.code}", mend=mend
                )
            )
    if alive or not has_own_token:
        check = Check.GOOD if alive else Check.WARNING
        mend = "" if alive else "open the install page, and have an administrator of a workspace allow the app"
        found.insert(0, Diagnosis(subject=subject, check=check, found=f"{len(alive)} let the bot in", mend=mend))
    return found


def _scopes(installation: Access) -> Diagnosis:
    subject = "Slack permissions"
    if not installation.scopes:
        found = "Slack did not say which the token has"
        return Diagnosis(subject=subject, check=Check.WARNING, found=found, mend="look at OAuth & Permissions")
    if missing := [scope for scope in NEEDED_SCOPES if scope not in installation.scopes]:
        return Diagnosis(subject=subject, check=Check.BAD, found=f"missing: {', '.join(missing)}", mend=_SCOPES_PAGE)
    for scopes, loss in _WISHED.items():
        if missing := [scope for scope in scopes if scope not in installation.scopes]:
            found = f"missing: {', '.join(missing)}; {loss}"
            return Diagnosis(subject=subject, check=Check.WARNING, found=found, mend=_SCOPES_PAGE)
    return Diagnosis(subject=subject, check=Check.GOOD, found="all that are needed")


async def _way_in(api: SlackApi, settings: SlackSettings) -> Diagnosis:
    subject = "Slack requests"
    if settings.app_token is None:
        found = f"taken at {EVENTS_PATH} of the public address, signed"
        return Diagnosis(subject=subject, check=Check.GOOD, found=found)
    try:
        await api.call("apps.connections.open", token=settings.app_token)
    except DeliveryError as error:
        mend = f"make an app-level token with connections:write, and copy it into {PREFIX}APP_TOKEN"
        found = f"Socket Mode cannot be opened: {error.code}"
        return Diagnosis(subject=subject, check=Check.BAD, found=found, mend=mend)
    return Diagnosis(subject=subject, check=Check.GOOD, found="taken by Socket Mode")


async def _sign_in(api: SlackApi, settings: SlackSettings) -> Diagnosis:
    subject, client = "Sign in with Slack", settings.client
    if client is None:
        mend = f"set {PREFIX}CLIENT_ID and {PREFIX}CLIENT_SECRET, from Basic Information of the app"
        found = "off: people of Slack cannot open their Reconnect pages"
        return Diagnosis(subject=subject, check=Check.BAD, found=found, mend=mend)
    # No code is ever "0": what is wanted is which of the three Slack finds wrong.
    form = {"client_id": client.client_id, "client_secret": client.secret.reveal(), "code": "0"}
    try:
        await api.call("openid.connect.token", token=None, form=form)
    except DeliveryError as error:
        if error.code in ("invalid_client_id", "bad_client_secret"):
            mend = f"copy {PREFIX}CLIENT_ID and {PREFIX}CLIENT_SECRET again from Basic Information of the app"
            return Diagnosis(subject=subject, check=Check.BAD, found=f"refused: {error.code}", mend=mend)
        if error.code != "invalid_code":
            found = f"could not be tried: {error.code}"
            return Diagnosis(subject=subject, check=Check.WARNING, found=found, mend="run doctor again in a minute")
    return Diagnosis(subject=subject, check=Check.GOOD, found="client id and secret are accepted")
