"""Reconnect days as a calendar (RFC 5545): which networks, when, how many accounts; nobody's and no account's name."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from icalendar import Calendar, Event

from commands.drawing import network_name
from commands.forecast import Sitting
from commands.ids import to_wire
from commands.ports.network import Networks
from commands.wording import number_of

FRESH_FOR = timedelta(days=1)
"""How often a calendar that is subscribed to may ask again."""


def calendar_of(sittings: Sequence[Sitting], networks: Networks, *, now: datetime, page_url: str) -> bytes:
    """One event for each sitting, in UTC, which every calendar shows in its reader's own zone.

    An event is known by the login that ends first in it: when that is renewed, or its end changes, the event with the
    same UID moves, and its sequence number grows. `page_url` may be empty.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//lapsebot//Reconnect days//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Reconnect days")
    calendar.add("refresh-interval", FRESH_FOR, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", f"PT{int(FRESH_FOR / timedelta(hours=1))}H")
    for sitting in sittings:
        calendar.add_component(_event(sitting, networks, now=now, page_url=page_url))
    written: bytes = calendar.to_ical()
    return written


def _event(sitting: Sitting, networks: Networks, *, now: datetime, page_url: str) -> Event:
    changed = max(login.obtained_at for login in sitting.logins)
    event = Event()
    event.add("uid", f"{to_wire(sitting.logins[0].authorization_id)}@lapsebot")
    event.add("dtstamp", now)
    event.add("last-modified", min(changed, now))
    event.add("sequence", int(changed.timestamp()) // 60)
    event.add("dtstart", sitting.at)
    event.add("duration", sitting.takes)
    event.add("summary", f"Reconnect day: renew {number_of(len(sitting.logins), 'login')}")
    event.add("description", "\n".join(_lines(sitting, networks)))
    event.add("class", "PRIVATE")
    if page_url:
        event.add("url", page_url)
    return event


def _lines(sitting: Sitting, networks: Networks) -> list[str]:
    return [
        f"{network_name(networks, login.network)}: {number_of(login.accounts, 'account')}, "
        f"ends {login.ends_at.day} {login.ends_at:%b %Y}"
        for login in sitting.logins
    ] + ["Renew before then, and nothing lapses."]
