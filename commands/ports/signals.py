"""What networks tell on their own: that a person removed our app, that a login is in trouble."""

from dataclasses import dataclass
from typing import Protocol

from commands.ports.chat import HttpRequest, HttpResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a request of a network's says, once it is proved to be one."""

    answer: HttpResponse
    subject_ids: tuple[str, ...] = ()
    """Whose logins to look at now, by the ids that authorizations know them by."""
    signal: str = ""
    """What tells this request apart from every other of the network's. One that is sent again bears the same."""


class Signals(Protocol):
    """The ear for one network. A signal opens no lapse: it makes us look, and what the look finds decides. One that is
    sent again is not acted on again for a day; one that is lost costs the time until the next look.
    """

    network: str
    """The slug. The address to post to is /signals/<slug>."""
    enter_at: str
    """Where an operator enters that address, in the network's own words."""

    async def hear(self, request: HttpRequest) -> Heard:
        """Check a request and read it. One that is not the network's is answered so, and names nobody. Raises
        nothing.
        """
        ...
