"""What every call of the API goes by: its declaration, who calls, and errors as sentences that say what to do."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.delivery.pacing import Pacer
from commands.auditing import Actor
from commands.command import Services
from commands.ids import OrganizationId, from_wire
from commands.ports.network import NetworkSpec

MOST_ITEMS = 500
"""Items of one call; a body is at most 1 MiB anyway."""
_MOST_MISTAKES = 5  # told at once
_Model = TypeVar("_Model", bound=BaseModel)


class Problem(Exception):
    """A call that cannot be done: the status, and a sentence for whoever wrote the caller."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = headers or {}


class Fields(BaseModel):
    """Fields that somebody sends: those that are not declared are refused by name."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What the calls work with."""

    services: Services
    specs: Mapping[str, NetworkSpec]
    """Every network that connections may be of, by slug."""
    private: bool
    """Whether webhooks may be sent into private networks."""
    pacer: Pacer

    def spec(self, network: str) -> NetworkSpec | None:
        """A network's declaration, if there is one here."""
        return self.specs.get(network)


API = web.AppKey("lapsebot_api", Api)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, let in."""

    api: Api
    request: web.Request
    caller: Actor
    body: BaseModel | None
    query: BaseModel | None

    @property
    def organization_id(self) -> OrganizationId:
        """Whose everything in this call is."""
        return self.caller.organization_id

    def sent(self, kind: type[_Model]) -> _Model:
        """The body, as its operation declares it."""
        assert isinstance(self.body, kind), "an operation reads the body that it declares"  # noqa: S101 - a promise
        return self.body

    def asked(self, kind: type[_Model]) -> _Model:
        """The query, as its operation declares it."""
        assert isinstance(self.query, kind), "an operation reads the query that it declares"  # noqa: S101 - a promise
        return self.query

    def id(self, name: str = "id") -> UUID:
        """An id in the path. Raises Problem."""
        return wire_id(self.request.match_info[name], 404)


Handler = Callable[[Call], Awaitable[Mapping[str, object]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that can be asked: routes, checks and the OpenAPI document are made from this."""

    method: str
    path: str
    summary: str
    handler: Handler
    body: type[Fields] | None = None
    query: type[Fields] | None = None
    items: type[Fields] | None = None
    """What the body is a list of, where each item is judged by itself."""
    answer: str
    """What the answer holds, in words."""

    @property
    def name(self) -> str:
        """Its id in the OpenAPI document."""
        words = self.path.replace("{", "").replace("}", "").replace("-", "_").strip("/").split("/")
        return "_".join([self.method.lower(), *words])


def wire_id(text: str, status: int = 400) -> UUID:
    """Read an id of ours. Raises Problem."""
    try:
        return from_wire(text.removeprefix("msg_"))
    except ValueError:
        raise Problem(status, "There is nothing with this id; ids have 22 letters and digits.") from None


def checked(kind: type[_Model], values: object) -> _Model:
    """Check fields against their declaration. Raises ValueError with a sentence that names what is wrong."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        mistakes = [
            _mistake(kind, ".".join(str(part) for part in one["loc"]), one["type"], one["msg"])
            for one in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        more = f"; and {len(mistakes) - _MOST_MISTAKES} more" if len(mistakes) > _MOST_MISTAKES else ""
        raise ValueError("; ".join(mistakes[:_MOST_MISTAKES]) + more) from None


def _mistake(kind: type[BaseModel], place: str, type_: str, message: str) -> str:
    if type_ == "missing":
        return f"{place} is missing"
    if type_ == "extra_forbidden":
        return f"{place[:60]} is not a field here; there are: {', '.join(kind.model_fields)}"
    if not place:
        return f"the whole is not as it should be: {message}"
    return f"{place}: {message.removeprefix('Value error, ')}"
