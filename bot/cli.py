"""The command line: serve · demo · doctor · org · people · import · audit · preview · install · db ·
api-key · webhooks · reports.

Each command imports what it needs when it runs, because importing everything takes seconds.
"""

import asyncio
import signal
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

from bot.cli_host import api_keys, reports, webhooks
from bot.console import clear_errors, err, out, read_settings, run_async
from bot.settings import Part
from commands.errors import SettingError
from commands.ports.chat import Check

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, help="Finds lapsed connections and tells people."
)
org = typer.Typer(no_args_is_help=True, help="Organizations: your customers, or your own company.")
db = typer.Typer(no_args_is_help=True, help="The database and its keys.")
people_app = typer.Typer(no_args_is_help=True, help="People of an organization, and what they may do.")
audit = typer.Typer(no_args_is_help=True, help="Who changed what, from where and when.")
app.add_typer(org, name="org")
app.add_typer(people_app, name="people")
app.add_typer(audit, name="audit")
app.add_typer(db, name="db")
app.add_typer(api_keys, name="api-key")
app.add_typer(webhooks, name="webhooks")
app.add_typer(reports, name="reports")

_MARKS = {Check.GOOD: "✅ good   ", Check.WARNING: "❗ look at", Check.BAD: "❌ bad    "}


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def serve(
    roles: Annotated[str, typer.Option(help="What this process does: web, chat, worker, separated by commas.")] = "",
    chat: Annotated[str | None, typer.Option(help="Only this chat platform.")] = None,
) -> None:
    """Run the bot."""
    with clear_errors():
        settings, environment = read_settings()
        parts = _parts(roles)
        from bot import logs
        from bot.bootstrap import built, log_rules, running, upgrade_database

        logs.configure(environment, log_rules(), form=settings.log_format, level=settings.log_level)

        async def run() -> None:
            await upgrade_database(settings)
            async with built(settings, environment, only_chat=chat) as bot, running(bot, parts=parts):
                names = [platform.label for platform in bot.platforms.values()]
                out.print(f"lapsebot is running: {settings.public_url} · {', '.join(names) or 'no chat platform'}")
                await stopped()
                out.print("Stopping: what is under way ends first.")

        run_async(run())


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Where the playground is served.")] = 8080,
    directory: Annotated[Path, typer.Option(help="Where its data goes; emptied at each start.")] = Path(
        ".lapsebot/demo"
    ),
) -> None:
    """Run the bot with stand-ins for Slack, Discord and the networks, and print one address."""
    with clear_errors():
        from bot.playground.demo import run_demo

        run_async(run_demo(directory=directory, port=port, until=stopped))


@app.command()
def doctor() -> None:
    """Check settings, database, keys, public address, chat platforms and networks, and say how to mend each."""
    with clear_errors():
        settings, environment = read_settings()
        from bot.doctor import diagnoses

        async def run() -> bool:
            bad = False
            async with aclosing(diagnoses(settings, environment)) as lines:  # `doctor | head` ends quietly
                async for line in lines:
                    out.print(f"{_MARKS[line.check]}  {line.subject}: {line.found}", markup=False)
                    if line.mend:
                        out.print(f"             {line.mend}", markup=False)
                    bad = bad or line.check is Check.BAD
            return bad

        if run_async(run()):
            raise typer.Exit(1)


@app.command("import")
def import_(
    organization: Annotated[str, typer.Option("--org", help="The organization's name.")],
    file: Annotated[
        Path | None, typer.Argument(help="A CSV file: network,account_id,account_name,client,…", show_default=False)
    ] = None,
    people: Annotated[
        Path | None, typer.Option("--people", help="A CSV file: name,email,role,clients (separated by semicolons).")
    ] = None,
) -> None:
    """Take connections, clients and people in from CSV files."""
    with clear_errors():
        settings, environment = read_settings()
        from bot.administration import OperatorError, import_file, import_people
        from commands.aftermath import logins_next

        if file is None and people is None:
            raise OperatorError("Which file? `lapsebot import FILE --org NAME`, or `--people FILE` for people")
        left_out = 0
        if file is not None:
            report = run_async(import_file(settings, environment, file, organization, _progress))
            for bad in report.bad:
                err.print(f"line {bad.line}: {bad.reason}", markup=False)
            out.print(f"{report.added} added · {report.known} known already · {len(report.bad)} left out")
            left_out += len(report.bad)
        if people is not None:
            told = run_async(import_people(settings, people, organization))
            for bad in told.bad:
                err.print(f"line {bad.line} of {people.name}: {bad.reason}", markup=False)
            counts = f"{told.added} added · {told.changed} changed · {told.known} known already"
            checked = f" · {logins_next(told.logins)}" if told.logins else ""
            out.print(f"People: {counts} · {len(told.bad)} left out{checked}")
            left_out += len(told.bad)
        if left_out:
            raise typer.Exit(1)


@app.command()
def preview(
    kind: Annotated[str, typer.Argument(help="Part of a notice's name; all of them without.")] = "",
    platform: Annotated[str, typer.Option(help="As this chat platform shows it: slack, discord, email.")] = "",
    html: Annotated[
        Path | None, typer.Option(help="Write pages that look like the platforms into this folder.")
    ] = None,
) -> None:
    """Show an example of each notice."""
    from bot.bootstrap import chat_platform_names
    from bot.bootstrap import preview as drawn
    from bot.notices.examples import examples
    from bot.playground import gallery
    from commands.plain import plain_text

    platforms = chat_platform_names()
    found = [example for example in examples() if kind.casefold() in example.name.casefold()]
    if not found:
        kinds = dict.fromkeys(example.kind.value for example in examples())
        err.print(f"No notice is called “{kind}”. There are: {', '.join(kinds)}", markup=False)
        raise typer.Exit(2)
    if platform and platform not in platforms:
        err.print(f"There is no chat platform “{platform}”. There are: {', '.join(platforms)}", markup=False)
        raise typer.Exit(2)
    if html is not None:
        for name in [platform] if platform else platforms:
            pictures = [(example.name, drawn(name, example.message)) for example in found]
            out.print(str(gallery.write(html, name, pictures)), markup=False)
        return
    for example in found:
        message = example.message
        text = gallery.text(platform, drawn(platform, message)) if platform else plain_text(message)
        out.print(f"── {example.name} · “{message.subject}”\n{text}\n", markup=False)


@app.command()
def why() -> None:
    """Print the page “Why did my connection lapse?”, in Markdown, with the networks that are declared here."""
    with clear_errors():
        _, environment = read_settings()
        from bot.bootstrap import network_specs
        from bot.why_page import why_page

        sys.stdout.write(why_page(network_specs(environment)))


@app.command()
def install(platform: Annotated[str, typer.Argument(help="Which one; a wrong name lists them all.")]) -> None:
    """Print what a chat platform needs to take the bot in: Slack's app manifest, Discord's install link."""
    with clear_errors():
        settings, environment = read_settings()
        from bot.bootstrap import how_to_install

        sys.stdout.write(how_to_install(platform, environment, settings) + "\n")


@org.command("create")
def org_create(
    name: str,
    time_zone: Annotated[str, typer.Option(help="Such as Europe/Berlin.")] = "",
    support: Annotated[str, typer.Option(help="Whom help names: an address, a channel, hours.")] = "",
) -> None:
    """Make an organization, and print the code that claims a workspace for it."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.administration import create_organization

        _print_code(run_async(create_organization(settings, name, time_zone or settings.time_zone, support or None)))


@org.command("code")
def org_code(name: str) -> None:
    """Print a new code, for claiming one more workspace."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.administration import new_claim_code

        _print_code(run_async(new_claim_code(settings, name)))


@org.command("list")
def org_list() -> None:
    """List the organizations."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.administration import organization_names

        for name in run_async(organization_names(settings)):
            out.print(name, markup=False)


@people_app.command("list")
def people_list(organization: Annotated[str, typer.Option("--org", help="The organization's name.")]) -> None:
    """List an organization's people, with what each may do."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.people import listed_people

        async def run() -> None:
            async for line in listed_people(settings, organization):
                out.print(line, markup=False)

        run_async(run())


@people_app.command("add")
def people_add(
    name: str,
    email: str,
    organization: Annotated[str, typer.Option("--org", help="The organization's name.")],
    role: Annotated[str, typer.Option(help="primary administrator, administrator, staff or owner.")] = "owner",
    clients: Annotated[str, typer.Option(help="Staff: only these clients, separated by commas.")] = "",
) -> None:
    """Add somebody."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.people import add_person

        out.print(
            run_async(add_person(settings, organization, name=name, email=email, role=role, clients=clients)),
            markup=False,
        )


@people_app.command("role")
def people_role(
    person: Annotated[str, typer.Argument(help="Their name, or their email address.")],
    role: Annotated[str, typer.Argument(help="primary administrator, administrator, staff or owner.")],
    organization: Annotated[str, typer.Option("--org", help="The organization's name.")],
    clients: Annotated[str | None, typer.Option(help="Staff: only these clients, separated by commas, or all.")] = None,
) -> None:
    """Give somebody another role; somebody who had left is back."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.people import change_role

        out.print(
            run_async(change_role(settings, organization, person=person, role=role, clients=clients)), markup=False
        )


@audit.command("export")
def audit_export(
    organization: Annotated[str, typer.Option("--org", help="The organization's name.")],
    since: Annotated[str, typer.Option(help="Only from this day or time on: 2026-11-01, in UTC.")] = "",
    form: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = "csv",
) -> None:
    """Write the audit log to standard output, the latest entry first."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.administration import OperatorError
        from bot.exporting import Format, export, since_time

        if form not in set(Format):
            raise OperatorError(f"“{form}” is not a format; there are: {', '.join(Format)}")
        number = run_async(export(settings, organization, since=since_time(since), form=Format(form), to=sys.stdout))
        err.print(f"{number} entries")


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database's schema up to this version."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.bootstrap import upgrade_database

        run_async(upgrade_database(settings))
        out.print("The database is up to date.")


@db.command("rekey")
def db_rekey() -> None:
    """Encrypt everything anew with the first key of LAPSEBOT_ENCRYPTION_KEYS, while the bot runs."""
    with clear_errors():
        settings, _ = read_settings()
        from bot.bootstrap import rekey_database

        done = run_async(rekey_database(settings))
        out.print(
            f"{done.changed} values moved to the first key · {done.unreadable} cannot be read with the keys given"
        )
        if done.unreadable:
            raise typer.Exit(1)


async def stopped() -> None:
    """Wait for SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def _parts(roles: str) -> frozenset[Part]:
    if not roles:
        return frozenset(Part)
    try:
        return frozenset(Part(role.strip()) for role in roles.split(","))
    except ValueError:
        raise SettingError("--roles", f"must be of {', '.join(Part)}, separated by commas") from None


def _progress(done: int, total: int) -> None:
    if err.is_terminal:
        err.print(f"{done} of {total} rows", end="\r")


def _print_code(code: str) -> None:
    out.print("In the Slack workspace or Discord server, within 15 minutes, type:")
    out.print(f"  /lapse-admin claim {code}", markup=False)
