"""The command line, as an operator meets it: on an empty directory, with mistakes."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app

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
        (b"network;account_id;account_name;client\n", "parted by semicolons"),
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


def test_every_kind_of_notice_has_an_example_to_look_at(operator: Operator) -> None:
    output = operator.types("preview").output
    assert "🔒 Lapsed:" in output
    assert "✅ Restored:" in output


def test_keys_are_rotated_while_running_and_twice_changes_nothing(acme: Operator) -> None:
    assert "0 values moved" in acme.types("db", "rekey").output
