"""A caller of the API, with a key of the rig's organization."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiohttp import ClientSession

from commands.auditing import Actor
from commands.hosting import make_key
from commands.ids import OrganizationId
from commands.ports.hosting import ApiKey
from commands.ports.network import NetworkKind
from tests.support.network import FakeNetwork, spec
from tests.web.rig import Rig, opened_rig

HOSTED = "ourtool"


@dataclass
class Answer:
    """What came back."""

    status: int
    json: Any
    headers: Mapping[str, str]


@dataclass
class Host:
    """The host product, calling."""

    rig: Rig
    session: ClientSession
    key: str = field(default="", repr=False)

    async def call(
        self, method: str, path: str, body: object = None, *, key: str | None = None, **options: Any
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self.key if key is None else key}", **options.pop("headers", {})}
        if body is not None:
            options["json"] = body
        url = f"{self.rig.base}/api/v1{path}"
        async with self.session.request(method, url, headers=headers, allow_redirects=False, **options) as response:
            assert "Set-Cookie" not in response.headers
            return Answer(response.status, await response.json(content_type="application/json"), response.headers)

    async def get(self, path: str) -> Any:
        answer = await self.call("GET", path)
        assert answer.status == 200, answer.json
        return answer.json

    async def post(self, path: str, body: object) -> Any:
        answer = await self.call("POST", path, body)
        assert answer.status == 200, answer.json
        return answer.json

    async def new_key(
        self, organization_id: OrganizationId | None = None, *, life: timedelta | None = None
    ) -> tuple[ApiKey, str]:
        caller = Actor(organization_id=organization_id or self.rig.organization_id, origin="test")
        async with self.rig.storage.transaction() as uow:
            key, text = await make_key(uow, caller, name="host", life=life, now=self.rig.clock.now())
        return key, text.reveal()

    async def held(self, account_id: str = "h-1", **more: str) -> str:
        """A connection that the host holds; gives its id."""
        item = {"network": HOSTED, "account_id": account_id, "account_name": "Our Shop", "client": "Acme", **more}
        (result,) = (await self.post("/connections", {"connections": [item]}))["results"]
        assert result["outcome"] == "added", result
        return str(result["id"])


@asynccontextmanager
async def opened_host(url: str) -> AsyncIterator[Host]:
    """The rig with a network that the host product holds."""
    hosted = FakeNetwork(spec=spec(HOSTED, name="Our Tool", kind=NetworkKind.HOSTED))
    async with opened_rig(url, more=[hosted]) as rig, ClientSession() as session:
        host = Host(rig, session)
        _, host.key = await host.new_key()
        yield host
