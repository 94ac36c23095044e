"""Loopback stand-ins for ad networks: strict test rig for our OAuth client, and the networks' logins in the playground.

They import none of our packages and share no object with the bot; all that passes between them is HTTP.
A network is one file in `wires/`.
"""

from .breaks import BreakKind
from .faults import FaultKind
from .people import NetworkPeople, PlayError
from .server import NetworkConfig, UnknownNetwork, create_network_vendor, network_slugs, serve_network
from .world import AdAccount, App, Business, IssuerMode, Profile, RedirectMatch

__all__ = [
    "AdAccount",
    "App",
    "BreakKind",
    "Business",
    "FaultKind",
    "IssuerMode",
    "NetworkConfig",
    "NetworkPeople",
    "PlayError",
    "Profile",
    "RedirectMatch",
    "UnknownNetwork",
    "create_network_vendor",
    "network_slugs",
    "serve_network",
]
