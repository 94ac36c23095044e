"""The command line's families for the host product: api-key, webhooks, reports."""

from typing import Annotated

import typer

from bot.console import clear_errors, out, read_settings, run_async

api_keys = typer.Typer(no_args_is_help=True, help="Keys of the API, for the host product.")
webhooks = typer.Typer(no_args_is_help=True, help="Where the host product hears of lapses.")
reports = typer.Typer(no_args_is_help=True, help="Where signed reports of the host product come from.")

_Organization = Annotated[str, typer.Option("--org", help="The organization's name.")]
_Endpoint = Annotated[str, typer.Argument(help="Its id, as the list shows it.")]


@api_keys.command("create")
def api_key_create(
    organization: _Organization,
    name: Annotated[str, typer.Option(help="What it is for.")] = "API",
    days: Annotated[int, typer.Option(min=0, help="How many days it works; 0: until it is revoked.")] = 0,
) -> None:
    """Make a key, and print it: it is shown this once. Several may work at a time, for changing over."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.host_product import create_key

        _print(run_async(create_key(settings, organization, name=name, days=days)))


@api_keys.command("list")
def api_key_list(organization: _Organization) -> None:
    """List the keys, with when each was used last."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.host_product import list_keys

        _print(run_async(list_keys(settings, organization)))


@api_keys.command("revoke")
def api_key_revoke(key: _Endpoint, organization: _Organization) -> None:
    """End a key at once."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.host_product import end_key

        _print(run_async(end_key(settings, organization, key)))


@webhooks.command("add")
def webhooks_add(
    url: str,
    organization: _Organization,
    connection: Annotated[
        str, typer.Option(help="Only of this connection, by id, and of it nowhere else; else of all.")
    ] = "",
) -> None:
    """Tell an address of lapses, and print the secret that the messages are signed with: it is shown this once."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.host_product import add_address

        _print(run_async(add_address(settings, organization, url=url, connection=connection)))


@webhooks.command("list")
def webhooks_list(organization: _Organization) -> None:
    """List the addresses, with how they fare."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.host_product import list_addresses

        _print(run_async(list_addresses(settings, organization)))


@webhooks.command("remove")
def webhooks_remove(endpoint: _Endpoint, organization: _Organization) -> None:
    """Tell an address nothing more."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.host_product import remove_address

        _print(run_async(remove_address(settings, organization, endpoint)))


@webhooks.command("rotate")
def webhooks_rotate(endpoint: _Endpoint, organization: _Organization) -> None:
    """Print a new secret for an address; for a day its messages are signed with both."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.host_product import rotate_address

        _print(run_async(rotate_address(settings, organization, endpoint)))


@webhooks.command("enable")
def webhooks_enable(endpoint: _Endpoint, organization: _Organization) -> None:
    """Send to a disabled address again."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.host_product import enable_address

        _print(run_async(enable_address(settings, organization, endpoint)))


@webhooks.command("dead")
def webhooks_dead(organization: _Organization) -> None:
    """List the messages that were given up, with the reason of each."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.host_product import list_dead

        _print(run_async(list_dead(settings, organization)))


@webhooks.command("replay")
def webhooks_replay(
    organization: _Organization,
    message: Annotated[str, typer.Argument(help="One message's id; all that were given up without.")] = "",
) -> None:
    """Send messages again that were given up, under the same ids."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.host_product import replay

        _print(run_async(replay(settings, organization, message)))


@reports.command("add")
def reports_add(name: str, organization: _Organization) -> None:
    """Take signed reports from a place, and print where it posts to and its secret: it is shown this once."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.host_product import add_reporter

        _print(run_async(add_reporter(settings, organization, name)))


@reports.command("list")
def reports_list(organization: _Organization) -> None:
    """List the places that reports come from."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.host_product import list_reporters

        _print(run_async(list_reporters(settings, organization)))


@reports.command("rotate")
def reports_rotate(source: _Endpoint, organization: _Organization) -> None:
    """Print a new secret for a place; for a day the one before counts as well."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.host_product import rotate_reporter

        _print(run_async(rotate_reporter(settings, organization, source)))


@reports.command("revoke")
def reports_revoke(source: _Endpoint, organization: _Organization) -> None:
    """Take no more reports from a place."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.host_product import revoke_reporter

        _print(run_async(revoke_reporter(settings, organization, source)))


def _print(lines: list[str]) -> None:
    for line in lines:
        out.print(line, markup=False)
