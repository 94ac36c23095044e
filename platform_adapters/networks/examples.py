"""Examples that a network's file carries: an answer from its documentation, and the verdict that it leads to."""

from dataclasses import dataclass

from commands.model import Verdict
from platform_adapters.networks.answers import (
    Reply,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One answer of the network's. `verdict` None: nothing is wrong."""

    reply: Reply
    verdict: Verdict | None
