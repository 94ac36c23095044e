"""What `doctor` finds about Slack, and how to mend each."""

from collections.abc import Sequence

from commands.errors import DeliveryError, DeliveryErrorKind
from commands.ports.chat import Check, Diagnosis
from platform_adapters.chat.slack.api import SlackApi
from platform_adapters.chat.slack.installations import Installation, Installations
from platform_adapters.chat.slack.manifest import CHANNEL_SCOPES, EMAIL_SCOPES, EVENTS_PATH, NEEDED_SCOPES
from platform_adapters.chat.slack.settings import PREFIX, SlackSettings

_WISHED = {
    EMAIL_SCOPES: "people known by their email address only cannot be told",
    CHANNEL_SCOPES: "it is not known which channels other companies read",
}
_SCOPES_PAGE = "add them under OAuth & Permissions at api.slack.com/apps, then install the app again"


async def diagnose(api: SlackApi, settings: SlackSettings, installations: Installations) -> Sequence[Diagnosis]:
    """Look at token, scopes, the way in, and sign-in. Raises nothing."""
    found: list[Diagnosis] = []
    try:
        installation = await installations.ask()
    except DeliveryError as error:
        found.append(_no_token(error))
    else:
        in_workspace = f"accepted for the workspace {installation.team_name} ({installation.team_id})"
        found += [Diagnosis(subject="Slack bot token", check=Check.GOOD, found=in_workspace), _scopes(installation)]
    found.append(await _way_in(api, settings))
    found.append(await _sign_in(api, settings))
    return found


def _no_token(error: DeliveryError) -> Diagnosis:
    if error.kind is DeliveryErrorKind.INSTALLATION_DEAD:
        mend = f"install the app again and copy its Bot User OAuth Token into {PREFIX}BOT_TOKEN"
        return Diagnosis(subject="Slack bot token", check=Check.BAD, found=f"refused: {error.code}", mend=mend)
    mend = f"check that this machine reaches Slack, and {PREFIX}API_URL if it is set"
    return Diagnosis(subject="Slack bot token", check=Check.BAD, found=f"Slack did not answer: {error.code}", mend=mend)


def _scopes(installation: Installation) -> Diagnosis:
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
