"""The command line, as an operator meets it: on an empty directory, with mistakes."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import bot
from bot.cli import app
from bot.doctor import installations
from bot.exporting import cell
from commands.ports.chat import ChatPlatform, Check, Installed
from commands.ports.installations import Installation
from commands.secret import Secret
from tests.support.chat import FakeChat, as_platform
from tests.support.clock import FakeClock
from tests.support.seed import SLACK_TEAM, fresh_storage, seed

HEADER = "network,account_id,account_name,client,connector_email,owner_email,parent_id,parent_name\n"


class Operator:
    """Types commands in a directory of their own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def types(self, *words: str, **environment: str) -> Result:
        return CliRunner().invoke(app, list(words), env={"COLUMNS": "200", **environment})

    def imports(self, text: str | bytes, name: str = "accounts.csv") -> Result:
        (self.directory / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return self.types("import", name, "--org", "Acme")


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    monkeypatch.chdir(tmp_path)
    return Operator(tmp_path)


@pytest.fixture
def acme(operator: Operator) -> Operator:
    assert operator.types("org", "create", "Acme").exit_code == 0
    return operator


def test_an_organization_is_made_on_an_empty_directory_with_a_code_to_type(operator: Operator) -> None:
    made = operator.types("org", "create", "Acme", "--time-zone", "Europe/Berlin")
    assert made.exit_code == 0
    assert "/lapse-admin claim " in made.output
    assert operator.types("org", "list").output == "Acme\n"
    key = operator.directory / ".lapsebot" / "encryption.key"
    assert key.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("org", "create", "ACME"), "already"),
        (("org", "create", "Other", "--time-zone", "Mars"), "not a time zone"),
        (("org", "code", "Acmee"), "There are: Acme"),
        (("import", "nowhere.csv", "--org", "Acme"), "cannot be read"),
        (("serve", "--roles", "web,chta"), "must be of web, chat, worker"),
        (("install", "slakc"), "is not a chat platform"),
        (("preview", "nonsense"), "No notice is called"),
        (("import", "--org", "Acme"), "Which file?"),
        (("import", "--people", "nowhere.csv", "--org", "Acme"), "cannot be read"),
        (("people", "list", "--org", "Acmee"), "There are: Acme"),
        (("people", "add", "Bo", "bo at acme", "--org", "Acme"), "is not an email address"),
        (("people", "add", "Bo", "bo@acme.example", "--role", "stuff", "--org", "Acme"), "did you mean staff?"),
        (
            ("people", "add", "Bo", "bo@acme.example", "--role", "staff", "--clients", "Nowhere", "--org", "Acme"),
            "There is no client “Nowhere”",
        ),
        (("people", "role", "nobody", "staff", "--org", "Acme"), "Nobody is called “nobody”"),
        (("audit", "export", "--org", "Acme", "--format", "xml"), "there are: csv, jsonl"),
        (("audit", "export", "--org", "Acme", "--since", "yesterday"), "is not a day like 2026-11-01"),
    ],
)
def test_a_mistake_gets_one_sentence_that_says_what_to_do(acme: Operator, words: tuple[str, ...], said: str) -> None:
    result = acme.types(*words)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_wrong_setting_stops_every_command_with_its_name(operator: Operator) -> None:
    result = operator.types("serve", LAPSEBOT_PUBLIC_URL="http://bot.example.com")
    assert result.exit_code == 2
    assert result.output.startswith("LAPSEBOT_PUBLIC_URL must begin with https://")


@pytest.mark.behaviour("A-3")
def test_a_bad_row_is_named_with_its_line_and_loses_nothing_of_the_others(acme: Operator) -> None:
    rows = [
        "fb,1,Acme EU,Acme,ana@acme.example,bo@acme.example,77,Acme East",
        "tictok,2,Acme DE,Acme,,,,",
        "facebook,1,Acme again,Acme,,,,",
        "linkedin,,No id,Acme,,,,",
        "linkedin,3,Bad mail,Acme,ana at acme,,,",
        'tiktok,4,"Acme, with a comma",Brio,,,,',
        "tiktok,5,too,many,,,,,,",
        "tiktok,6,Nul \x00,Acme,,,,",
        f"tiktok,7,{'x' * 301},Acme,,,,",
    ]
    result = acme.imports(HEADER + "\n".join(rows))
    assert result.exit_code == 1
    said = result.output.splitlines()
    assert said[-1] == "2 added · 0 known already · 7 left out"
    assert [line.partition(":")[0] for line in said[:-1]] == [f"line {number}" for number in (3, 4, 5, 6, 8, 9, 10)]
    assert "did you mean tiktok?" in said[0]
    assert "repeats the account of line 2" in said[1]
    assert acme.imports(HEADER + rows[0]).output == "0 added · 1 known already · 0 left out\n"


@pytest.mark.behaviour("A-3")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\x00", "line 1 of accounts.csv is not UTF-8"),
        (HEADER.encode() + b"fb,1,Caf\xe9,Acme,,,,\n", "line 2 of accounts.csv is not UTF-8"),
        (b"network,account_id,client\n", "lacks the column account_name"),
        (b"network;account_id;account_name;client\n", "separated by semicolons"),
        (b"network,account_id,account_name,client,conector_email\n", "did you mean connector_email?"),
        (b"network,network,account_id,account_name,client\n", "has the column network twice"),
        (HEADER.encode() + b'fb,1,"open,Acme,,,,\n', "is not CSV"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_by_line_and_nothing_is_written(
    acme: Operator, text: bytes, said: str
) -> None:
    result = acme.imports(text)
    assert result.exit_code == 2
    assert said in result.output


def test_a_file_saved_by_a_spreadsheet_with_its_byte_order_mark_is_taken(acme: Operator) -> None:
    result = acme.imports(b"\xef\xbb\xbf" + HEADER.encode() + b"LinkedIn,9,Acme,Acme,,,,\r\n")
    assert result.output == "1 added · 0 known already · 0 left out\n"


PEOPLE = "name,email,role,clients\n"


@pytest.fixture
def staffed(acme: Operator) -> Operator:
    """Acme with two clients, a primary administrator and an owner."""
    assert acme.imports(HEADER + "tiktok,1,EU,Acme,,bo@acme.example,,\ntiktok,2,Shop,Brio,,,,\n").exit_code == 0
    added = acme.types("people", "add", "Ada King", "ada@acme.example", "--role", "primary", "--org", "Acme")
    assert added.output == "Ada King is added, as primary administrator\n"
    return acme


@pytest.mark.behaviour("A-3")
def test_people_come_in_with_roles_and_clients_and_a_bad_row_loses_nothing_of_the_others(staffed: Operator) -> None:
    rows = [
        "Sam Lee,sam@acme.example,staff,Acme",
        ",raj.patel@acme.example,Administrator,",
        "Bo Lind,BO@acme.example,owner,",
        "Mia,mia@acme.example,boss,",
        "Lee,lee@acme.example,staf,",
        "Kim,kim at acme,staff,",
        "Noor,noor@acme.example,staff,Brioo",
        "Otto,otto@acme.example,owner,Acme",
        "Sam again,sam@acme.example,owner,",
        "Ada King,ada@acme.example,staff,",
        "Two,two@acme.example,staff,acme; BRIO",
        "None,,staff,",
    ]
    (staffed.directory / "people.csv").write_text(PEOPLE + "\n".join(rows))
    result = staffed.types("import", "--people", "people.csv", "--org", "Acme")
    assert result.exit_code == 1
    said = result.output.splitlines()
    assert said[-1] == "People: 3 added · 1 changed · 0 known already · 8 left out"
    assert [line.partition(":")[0] for line in said[:-1]] == [
        f"line {number} of people.csv" for number in (5, 6, 7, 8, 9, 10, 11, 13)
    ]
    for line, why in zip(
        said,
        (
            "role 'boss' is not known",
            "did you mean staff?",
            "email is not an email address",
            "client 'Brioo' is not known; did you mean Brio?",
            "owner is not limited to any",
            "repeats the address of line 2",
            "is the only primary administrator",
            "email is empty",
        ),
        strict=False,
    ):
        assert why in line
    assert staffed.types("people", "list", "--org", "Acme").output.splitlines() == [
        "Ada King · ada@acme.example · primary administrator",
        "Bo Lind · bo@acme.example · owner",
        "Raj Patel · raj.patel@acme.example · administrator",
        "Sam Lee · sam@acme.example · staff (only Acme)",
        "Two · two@acme.example · staff (only Acme, Brio)",
    ]
    (staffed.directory / "people.csv").write_text(PEOPLE + "\n".join(rows[:3]))
    again = staffed.types("import", "--people", "people.csv", "--org", "Acme")
    assert again.output == "People: 0 added · 0 changed · 3 known already · 0 left out\n"


@pytest.mark.behaviour("A-3")
def test_connections_and_people_come_in_together_and_the_people_may_name_new_clients(acme: Operator) -> None:
    (acme.directory / "people.csv").write_text(PEOPLE + "Sam Lee,sam@acme.example,staff,Cato\n")
    (acme.directory / "accounts.csv").write_text(HEADER + "tiktok,1,EU,Cato,,sam@acme.example,,\n")
    result = acme.types("import", "accounts.csv", "--people", "people.csv", "--org", "Acme")
    assert result.output == (
        "1 added · 0 known already · 0 left out\nPeople: 0 added · 1 changed · 0 known already · 0 left out\n"
    )


def test_a_role_is_changed_from_the_command_line_but_the_last_primary_administrator_stays(staffed: Operator) -> None:
    refused = staffed.types("people", "role", "ada@acme.example", "staff", "--org", "Acme")
    assert refused.exit_code == 2
    assert "is the only primary administrator" in refused.output
    made = staffed.types("people", "role", "Bo", "primary administrator", "--org", "Acme")
    assert made.output == "Bo is primary administrator now\n"
    changed = staffed.types("people", "role", "Ada King", "staff", "--clients", "brio", "--org", "Acme")
    assert changed.output == "Ada King is staff now\n"
    same = staffed.types("people", "role", "Ada King", "staff", "--org", "Acme")
    assert same.output == "Ada King is staff already; nothing changed\n"
    assert "Ada King · ada@acme.example · staff (only Brio)" in staffed.types("people", "list", "--org", "Acme").output


@pytest.mark.behaviour("A-4", "A-1")
def test_the_audit_log_is_exported_for_one_organization(staffed: Operator) -> None:
    staffed.types("org", "create", "Other")
    staffed.types("people", "add", "=1+1", "other@other.example", "--org", "Other")
    staffed.types("people", "add", "=1+1", "sum@acme.example", "--org", "Acme")
    lines = staffed.types("audit", "export", "--org", "acme", "--format", "jsonl").stdout.splitlines()
    entries = [json.loads(line) for line in lines]
    actions = [entry["action"] for entry in entries]
    assert actions == ["person.added", "person.added", "imported connections", "person.added"], "imported owners too"
    assert {entry["origin"] for entry in entries} == {"cli"}
    assert entries[0]["detail"]["person"] == "=1+1"
    assert datetime.fromisoformat(entries[0]["at"]) >= datetime.fromisoformat(entries[-1]["at"])
    table = list(csv.DictReader(staffed.types("audit", "export", "--org", "Acme").stdout.splitlines()))
    assert [row["action"] for row in table] == [entry["action"] for entry in entries]
    assert json.loads(table[0]["detail"]) == entries[0]["detail"]
    later = staffed.types("audit", "export", "--org", "Acme", "--since", "2100-01-01", "--format", "jsonl")
    assert later.stdout == ""


def test_a_cell_that_a_spreadsheet_would_take_for_a_formula_is_written_as_text() -> None:
    assert [cell(text) for text in ("=1+1", "@home", "-1", "a=b")] == ["'=1+1", "'@home", "'-1", "a=b"]


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("LAPSEBOT_PUBLIC_URLS", "Did you mean LAPSEBOT_PUBLIC_URL?"),
        ("LAPSEBOT_SLACK_BOT_TOKN", "Did you mean LAPSEBOT_SLACK_BOT_TOKEN?"),
        ("LAPSEBOT_TIKTOK_API_URL", "Unset it, or set what belongs with it."),
    ],
)
def test_the_doctor_names_settings_that_nothing_reads(acme: Operator, name: str, mend: str) -> None:
    lines = acme.types("doctor", **{name: "https://example.com"}).output.splitlines()
    at = next(number for number, line in enumerate(lines) if f"{name}: nothing reads this setting" in line)
    assert lines[at + 1].strip() == mend


def test_a_doctor_whose_reader_has_left_ends_without_a_traceback(acme: Operator) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "bot", "doctor"]
    here = {**os.environ, "PYTHONPATH": str(Path(bot.__file__).parent.parent)}
    try:
        done = subprocess.run(
            command, cwd=acme.directory, env=here, stdout=writes, stderr=subprocess.PIPE, text=True, check=False
        )
    finally:
        os.close(writes)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.behaviour("A-8")
async def test_the_doctor_looks_at_each_workspace_that_lets_the_bot_in(sqlite_database_url: str) -> None:
    clock = FakeClock()
    async with fresh_storage(sqlite_database_url, clock) as storage:
        seeded = await seed(storage, clock.now())
        asked: Mapping[str, ChatPlatform] = {"slack": as_platform(FakeChat(name="slack", install=_Consent()))}
        (unknown,) = await installations(storage, asked, seeded.organization)
        assert unknown.found == "discord is not configured in this process's settings"
        await storage.installations.save(_installation(clock))
        (_, there) = await installations(storage, asked, seeded.organization)
        assert (there.check, there.found) == (Check.GOOD, "let in since 2026-11-23")
        at = clock.advance(timedelta(days=1))
        assert await storage.installations.lose("slack", SLACK_TEAM, at=at, reason="app_uninstalled")
        (_, lost) = await installations(storage, asked, seeded.organization)
        assert lost.check is Check.BAD
        assert lost.found == "lost since 2026-11-24 09:00 UTC (app_uninstalled)"
        assert "lapsebot install slack" in lost.mend


class _Consent:
    """A platform's consent page that nobody visits."""

    def authorize_url(self, *, state: str, redirect_uri: str) -> str:
        return redirect_uri

    async def complete(self, *, code: str, redirect_uri: str) -> Installed:
        return Installed(platform="slack", tenant=SLACK_TEAM, name="Agency")


def _installation(clock: FakeClock) -> Installation:
    return Installation(
        platform="slack",
        tenant=SLACK_TEAM,
        name="Agency",
        is_org_wide=False,
        bot_token=Secret("a-token"),
        bot_user="B1",
        scopes=frozenset(),
        installed_at=clock.now(),
    )


def test_every_kind_of_notice_has_an_example_to_look_at(operator: Operator) -> None:
    output = operator.types("preview").output
    assert "🔒 Lapsed:" in output
    assert "✅ Restored:" in output


def test_keys_are_rotated_while_running_and_twice_changes_nothing(acme: Operator) -> None:
    assert "0 values moved" in acme.types("db", "rekey").output
