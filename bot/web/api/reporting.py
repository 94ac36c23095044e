"""What the host product reports of connections that it holds: with a key, or by signed webhook (D-7)."""

import json
from dataclasses import replace
from datetime import datetime

from aiohttp import web

from bot.web.api.calls import API, Call, Problem, checked, wire_id
from bot.web.api.models import InboundData, InboundIn, ReportIn, ReportsIn
from bot.webhooks.bodies import Json
from commands.auditing import Actor
from commands.host_reports import Report, ReportKind, ReportRefused, Taken, checked_cause, take_report
from commands.ids import ConnectionId, LapseId, SourceId
from commands.standard_webhooks import SignatureRefused, verify


async def take_reports(call: Call) -> Json:
    """Take reports in the order sent; each has its own result."""
    results: list[Json] = []
    for place, item in enumerate(call.sent(ReportsIn).reports):
        try:
            sent = checked(ReportIn, item)
            report = _report(sent.event_id, sent.type, sent.at, sent)
            taken = await _taken(call, report)
        except (ValueError, ReportRefused, Problem) as error:
            results.append({"index": place, "outcome": "refused", "reason": str(error)})
        else:
            results.append({"index": place, "outcome": taken.outcome.value, "repeated": taken.is_repeat})
    return {"results": results}


async def inbound(request: web.Request) -> Json:
    """Take one signed report. Nothing of the body is looked at before its signature was found good."""
    api = request.app[API]
    now = api.services.clock.now()
    source_id = SourceId(wire_id(request.match_info["id"], 404))
    found = await api.services.storage.host.source(source_id, now)
    if found is None:
        raise Problem(404, "Nothing reports here; `lapsebot reports list` shows the addresses there are.")
    source, secrets = found
    body = await request.read()
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        signed = verify(secrets, headers, body, now=now)
    except SignatureRefused as error:
        raise Problem(401, f"The signature is not accepted: {error}.") from None
    try:
        sent = checked(InboundIn, json.loads(body))
        caller = Actor(organization_id=source.organization_id, origin=f"webhook {source.name}")
        report = _report(signed.id, sent.type, sent.timestamp or signed.at, sent.data)
        taken = await take_report(api.services.storage, caller, report, specs=api.specs, now=now)
    except RecursionError:
        raise Problem(400, "The body is nested too deep.") from None
    except (ValueError, ReportRefused) as error:
        raise Problem(422, f"The report was not taken: {error}.") from None
    return {"outcome": taken.outcome.value, "repeated": taken.is_repeat}


async def _taken(call: Call, report: Report) -> Taken:
    services = call.api.services
    return await take_report(services.storage, call.caller, report, specs=call.api.specs, now=services.clock.now())


def _report(event_id: str, kind: ReportKind, at: datetime, sent: ReportIn | InboundData) -> Report:
    report = Report(
        event_id=event_id,
        kind=kind,
        at=at,
        network=sent.network,
        account_id=sent.account_id,
        reason=sent.reason,
        cause=checked_cause(sent.cause),
        by_email=sent.restored_by_email,
    )
    if sent.connection_id:
        report = replace(report, connection_id=ConnectionId(wire_id(sent.connection_id)))
    if sent.lapse_id:
        report = replace(report, lapse_id=LapseId(wire_id(sent.lapse_id)))
    return report
