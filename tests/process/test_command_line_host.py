"""The command line's families for the host product: keys, webhooks, reports."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from commands.hosting import parts_of_key
from commands.ids import ConnectionId, new_id, to_wire
from tests.support.clock import FakeClock

ID = r"[0-9A-Za-z]{22}"
UNKNOWN = to_wire(ConnectionId(new_id(FakeClock().now())))


class Operator:
    """Types commands for Acme, in a directory of their own."""

    def types(self, *words: str, **environment: str) -> Result:
        return CliRunner().invoke(app, [*words, "--org", "Acme"], env={"COLUMNS": "200", **environment})

    def works(self, *words: str) -> list[str]:
        done = self.types(*words)
        assert done.exit_code == 0, done.output
        return done.output.splitlines()


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["org", "create", "Acme"]).exit_code == 0
    return Operator()


@pytest.mark.behaviour("A-3")
def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(acme: Operator) -> None:
    key, told = acme.works("api-key", "create", "--name", "our product", "--days", "30")
    parts = parts_of_key(key)
    assert parts is not None
    assert "not shown again" in told
    (listed,) = acme.works("api-key", "list")
    assert to_wire(parts[0]) in listed
    assert "our product" in listed
    assert "never used" in listed
    assert parts[1] not in listed
    acme.works("api-key", "revoke", to_wire(parts[0]))
    assert "revoked" in acme.works("api-key", "list")[0]
    again = acme.types("api-key", "revoke", to_wire(parts[0]))
    assert (again.exit_code, "no such key" in again.output) == (2, True)
    exported = acme.works("audit", "export")
    assert [word in "\n".join(exported) for word in ("api_key.made", "api_key.revoked", parts[1])] == [
        True,
        True,
        False,
    ]


@pytest.mark.behaviour("R-12")
def test_an_address_is_added_listed_rotated_and_removed(acme: Operator) -> None:
    secret, told = acme.works("webhooks", "add", "https://hooks.example.com/a")
    found = re.search(ID, told)
    assert secret.startswith("whsec_")
    assert found is not None
    (listed,) = acme.works("webhooks", "list")
    assert listed == f"{found[0]}  https://hooks.example.com/a  works"
    assert acme.works("webhooks", "rotate", found[0])[0] != secret
    assert acme.works("webhooks", "dead") == ["Nothing was given up."]
    acme.works("webhooks", "remove", found[0])
    assert acme.works("webhooks", "list") == ["Nobody is told by webhook."]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("webhooks", "add", "http://hooks.example.com/"), "https://"),
        (("webhooks", "add", "https://10.0.0.1/"), "LAPSEBOT_WEBHOOK_PRIVATE"),
        (("webhooks", "add", "https://hooks.example.com/", "--connection", UNKNOWN), "no connection"),
        (("webhooks", "add", "https://hooks.example.com/", "--connection", "x"), "is not an id"),
        (("webhooks", "remove", UNKNOWN), "no such endpoint"),
        (("webhooks", "rotate", UNKNOWN), "no such endpoint"),
        (("webhooks", "enable", UNKNOWN), "no such endpoint that is disabled"),
        (("webhooks", "replay"), "Nothing can be sent again"),
        (("reports", "rotate", UNKNOWN), "no such source"),
        (("reports", "revoke", UNKNOWN), "no such source"),
        (("api-key", "revoke", "nonsense"), "is not an id"),
    ],
)
def test_a_mistake_is_one_sentence_with_what_to_do(acme: Operator, words: tuple[str, ...], says: str) -> None:
    done = acme.types(*words)
    assert (done.exit_code, says in done.output) == (2, True), done.output


@pytest.mark.behaviour("D-7")
def test_a_place_that_reports_is_added_with_its_address_and_ended(acme: Operator) -> None:
    secret, address, _ = acme.works("reports", "add", "our product")
    found = re.search(rf"/api/v1/inbound/({ID})$", address)
    assert secret.startswith("whsec_")
    assert found is not None
    assert "our product" in acme.works("reports", "list")[0]
    assert acme.works("reports", "rotate", found[1])[0] != secret
    acme.works("reports", "revoke", found[1])
    assert "revoked" in acme.works("reports", "list")[0]


@pytest.mark.behaviour("A-7")
def test_a_connections_own_address_comes_by_a_column_of_the_csv(acme: Operator, tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    head = "network,account_id,account_name,client,webhook_url\n"
    rows = (
        "meta,1,One,Acme,https://hooks.example.com/1\nmeta,2,Two,Acme,\nmeta,3,Three,Acme,http://hooks.example.com/3\n"
    )
    file.write_text(head + rows, encoding="utf-8")
    done = acme.types("import", str(file))
    assert "line 4: webhook_url: the address must begin with https://" in done.output
    (own,) = acme.works("webhooks", "list")
    assert "https://hooks.example.com/1  of connection" in own
