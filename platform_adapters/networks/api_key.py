"""Networks that are read with a key which somebody pastes (R-9), as many as the operator's file declares.

A key is proved by one question, whose answer names the account that the key is of. No networks' sources stand here:
what an answer means is declared, with examples that are held against the declaration whenever it is read.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from commands.errors import NetworkError
from commands.model import CLEAR_LAPSES, Evidence, Finding, Tokens, Verdict
from commands.ports.chat import Check, Diagnosis
from commands.ports.clock import Clock
from commands.ports.network import (
    Begun,
    CauseText,
    Discovery,
    Expected,
    Grant,
    KeyField,
    KeyForm,
    NetworkKind,
    NetworkSpec,
    Probe,
    ReachedAccount,
)
from commands.secret import Secret
from commands.wording import Fact, Sentence
from platform_adapters.networks import declared
from platform_adapters.networks.answers import (
    Json,
    Reply,
    found,
    malformed,
    meaning,
)
from platform_adapters.networks.credentials import Credentials
from platform_adapters.networks.declared import ApiKeyDeclaration, ExampleDeclaration, Rule, Wrong
from platform_adapters.networks.oauth import (
    NetworkClient,
)

_CHECK = "key"
_MANY = 200  # characters of an account's id or name; more is no name
_USUAL = {
    400: Verdict.UNCLEAR,
    401: Verdict.REVOKED,
    403: Verdict.PERMISSION_MISSING,
    404: Verdict.ACCOUNT_GONE,
    410: Verdict.ACCOUNT_GONE,
}
"""What a refusal means where nothing else is declared. 429 and 5xx mean what they mean at every network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proved:
    """What the answer to a good key tells."""

    account_id: str
    account_name: str
    ends_at: datetime | None


class KeyNetwork:
    """One network of the operator's file."""

    def __init__(self, declaration: ApiKeyDeclaration, clock: Clock) -> None:
        self.spec = _spec(declaration)
        self._declared = declaration
        nobody = Credentials(client_id="", client_secret=Secret(""), authorize_url="", token_url="", api_url="")
        # A key has limits of its own.
        self._client = NetworkClient(nobody, clock, _Table(declaration), counts_each_login=True)

    def running(self) -> AbstractAsyncContextManager[None]:
        return self._client.running()

    @property
    def login_url(self) -> str:
        return ""  # there is no login

    async def begin(
        self, *, state: str, redirect_uri: str, code_challenge: str | None, login_hint: str | None, again: bool
    ) -> Begun:
        raise NetworkError(Finding(verdict=Verdict.UNCLEAR, evidence=Evidence(check="login", code="no_login")))

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        values = {field.name: answer.get(field.name, "") for field in self._declared.fields}
        return Grant(tokens=Tokens(access=Secret(json.dumps(values, separators=(",", ":")))))

    async def refresh(self, tokens: Tokens) -> Grant | None:
        return None

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        try:
            proved = await self._prove(tokens)
        except NetworkError as error:
            return Probe(grant=error.finding)
        good = Finding(verdict=Verdict.HEALTHY, evidence=Evidence(check=_CHECK))
        # A key that answers for another account than it was stored for: no evidence of what became of this one.
        other = Finding(verdict=Verdict.UNCLEAR, evidence=Evidence(check=_CHECK, code="other_account"))
        accounts = {one.account_id: good if one.account_id == proved.account_id else other for one in expected}
        return Probe(grant=good, accounts=accounts, ends_at=proved.ends_at)

    async def discover(self, tokens: Tokens) -> Discovery:
        """A key is of one account, and that account is all that it reaches."""
        proved = await self._prove(tokens)
        good = Finding(verdict=Verdict.HEALTHY, evidence=Evidence(check=_CHECK))
        reached = ReachedAccount(
            account_id=proved.account_id, name=proved.account_name or proved.account_id, parent=None, finding=good
        )
        return Discovery(
            subject_id=proved.account_id,
            subject_name=proved.account_name or proved.account_id,
            granted=frozenset(),
            accounts=(reached,),
        )

    async def revoke(self, tokens: Tokens) -> None:
        return  # a key that somebody made is theirs to delete

    async def diagnose(self) -> Sequence[Diagnosis]:
        number = len(self._declared.examples)
        tried = f"{number} of its examples tried" if number else "without examples: its answers are read as usual"
        found = f"declared in {declared.SETTING}, {tried}"
        mend = "" if number else "Add [[api_key.examples]] with answers from its documentation."
        return [
            Diagnosis(subject=self.spec.name, check=Check.GOOD if number else Check.WARNING, found=found, mend=mend)
        ]

    async def _prove(self, tokens: Tokens) -> _Proved:
        """Ask the one question. Raises NetworkError."""
        values, probe = _values(self._declared, tokens), self._declared.probe
        url = declared.address(probe.url, values)
        if url is None:
            raise NetworkError(_refused("misplaced_field"))
        headers = {name: declared.filled(text, values) for name, text in probe.headers.items()}
        if probe.basic is not None:
            pair = ":".join(declared.filled(text, values) for text in (probe.basic.username, probe.basic.password))
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        reply = await self._client.ask(
            _CHECK,
            probe.method,
            url,
            headers={"Accept": "application/json", **headers},
            query={name: declared.filled(text, values) for name, text in probe.query.items()} or None,
            form={name: declared.filled(text, values) for name, text in probe.form.items()} or None,
        )
        return _proved(self._declared, reply)


def _values(declaration: ApiKeyDeclaration, tokens: Tokens) -> Mapping[str, str]:
    """What was entered. Raises NetworkError where that was under another declaration than today's."""
    try:
        raw = json.loads(tokens.access.reveal())
    except ValueError:
        raw = None
    values = {name: value for name, value in raw.items() if isinstance(value, str)} if isinstance(raw, dict) else {}
    if not all(values.get(field.name) for field in declaration.fields):
        raise NetworkError(_refused("other_form"))
    return values


def _refused(code: str) -> Finding:
    return Finding(verdict=Verdict.UNCLEAR, evidence=Evidence(check=_CHECK, code=code))


def _proved(declaration: ApiKeyDeclaration, reply: Reply) -> _Proved:
    """Read a good answer. Raises NetworkError where it names no account: then it proves nothing."""
    probe = declaration.probe
    account_id = _scalar(reply.body, probe.account_id)
    if not account_id or len(account_id) > _MANY:
        raise NetworkError(malformed(reply))
    name = _scalar(reply.body, probe.account_name) if probe.account_name is not None else ""
    ends_at = _moment(_scalar(reply.body, probe.ends_at)) if probe.ends_at is not None else None
    return _Proved(account_id=account_id, account_name=name[:_MANY], ends_at=ends_at)


class _Table:
    """The declared table, then what a status usually means. Evidence names the rule, and nothing of the answer's."""

    def __init__(self, declaration: ApiKeyDeclaration) -> None:
        self._rules = declaration.verdicts
        self._needs = declaration.needs

    def __call__(self, reply: Reply) -> Finding | None:
        for rule in self._rules:
            if _fits(rule, reply):
                return self._finding(rule.verdict, reply, rule.equals or str(reply.status))
        usual = _USUAL.get(reply.status)
        return self._finding(usual, reply, str(reply.status)) if usual is not None else None

    def _finding(self, verdict: Verdict, reply: Reply, code: str) -> Finding | None:
        if verdict is Verdict.HEALTHY:
            return None
        missing = self._needs if verdict is Verdict.PERMISSION_MISSING else ()
        return found(verdict, reply, code, missing=missing)


def _fits(rule: Rule, reply: Reply) -> bool:
    if rule.status is not None and rule.status != reply.status:
        return False
    return rule.at is None or _scalar(reply.body, rule.at) == rule.equals


def _scalar(body: Json, pointer: str) -> str:
    """What a JSON pointer leads to, as text; "" where that is nothing, or no text, number or truth value."""
    value: object = body
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def _moment(written: str) -> datetime | None:
    """A time as vendors write it: RFC 3339, or seconds since 1970. None for what is neither, or names no zone."""
    try:
        if written.isdecimal():
            return datetime.fromtimestamp(int(written), UTC)
        moment = datetime.fromisoformat(written)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else None


def _spec(declaration: ApiKeyDeclaration) -> NetworkSpec:
    called, name = declaration.called, declaration.name
    fields = tuple(
        KeyField(name=one.name, label=one.label, help=one.help, secret=one.secret, pattern=one.pattern)
        for one in declaration.fields
    )
    told = {*(rule.verdict for rule in declaration.verdicts), *_USUAL.values()}
    login = Sentence("a login at {network} that may make a new {key}", network=name, key=Sentence(called))
    return NetworkSpec(
        slug=declaration.slug,
        name=name,
        aliases=declaration.aliases,
        kind=NetworkKind.API_KEY,
        grouping=declaration.grouping,
        permissions=(),
        parent_label=None,
        login_label=login,
        reconnect_requirement=declaration.requirement or login,
        stops=declaration.stops,
        checklist=declaration.checklist,
        steps=declaration.where,
        term=timedelta(days=declaration.term_days) if declaration.term_days is not None else None,
        causes=_causes(called, name),
        detects=frozenset(told & CLEAR_LAPSES),
        key_form=KeyForm(called=called, fields=fields, needs=declaration.needs),
    )


def _causes(called: str, name: str) -> Mapping[Verdict, CauseText]:
    """The causes in words for something that is pasted, not logged in with."""
    facts: dict[str, Fact] = {"key": Sentence(called), "network": name}
    enter = Sentence("Whoever may create one at {network} can enter a new {key}, in about a minute.", **facts)
    return {
        Verdict.EXPIRED: CauseText(happened=Sentence("The {key} has run out.", **facts), mend=enter),
        Verdict.REVOKED: CauseText(
            happened=Sentence(
                "{network} does not accept the {key} any more: it was deleted or replaced there.", **facts
            ),
            mend=enter,
        ),
        Verdict.CREDENTIAL_CHANGED: CauseText(
            happened=Sentence("The {key} was replaced at {network}.", **facts), mend=enter
        ),
        Verdict.PERMISSION_MISSING: CauseText(
            happened=Sentence("The {key} no longer has the permission that reading needs.", **facts),
            mend=Sentence("Give it back to the {key} at {network}, or enter a new one that has it.", **facts),
        ),
        Verdict.ACCOUNT_GONE: CauseText(
            happened=Sentence("{network} does not know the account of this {key} any more.", **facts),
            mend=Sentence("Check at {network} whether the account was closed or moved.", **facts),
            not_helping=Sentence("A new key will not help until that is solved."),
        ),
        Verdict.UNCLEAR: CauseText(
            happened=Sentence("{network} refuses our {key}, and does not say why.", **facts),
            mend=Sentence("A new {key} usually solves it.", **facts),
        ),
        Verdict.REPORTED: CauseText(
            happened=Sentence("The {key} is reported as not working any more.", **facts), mend=enter
        ),
    }


def _try(number: int, declaration: ApiKeyDeclaration) -> None:
    """Hold a declaration against its own examples. Raises Wrong."""
    for index, example in enumerate(declaration.examples):
        came_to, account_id = _outcome(declaration, example)
        path = ("api_key", number, "examples", index)
        if came_to is not example.verdict:
            raise Wrong((*path, "verdict"), f"this answer comes to “{came_to}”, not to “{example.verdict}”")
        if example.account_id is not None and account_id != example.account_id:
            raise Wrong((*path, "account_id"), f"the probe's account_id finds “{account_id}” in this answer")


def _outcome(declaration: ApiKeyDeclaration, example: ExampleDeclaration) -> tuple[Verdict, str]:
    reply = Reply(check=_CHECK, status=example.status, body=example.body)
    finding = meaning(reply, _Table(declaration))
    if finding is not None:
        return finding.verdict, ""
    try:
        return Verdict.HEALTHY, _proved(declaration, reply).account_id
    except NetworkError as error:
        return error.finding.verdict, ""


def specs(environment: Mapping[str, str]) -> Sequence[NetworkSpec]:
    """The declarations of all of them. Raises SettingError."""
    return [_spec(one) for one in declared.read(environment, _try).api_keys]


def build_all(environment: Mapping[str, str], clock: Clock) -> Sequence[KeyNetwork]:
    """All of them. Raises SettingError with the file's line."""
    return [KeyNetwork(one, clock) for one in declared.read(environment, _try).api_keys]
