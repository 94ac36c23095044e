"""Keeps messages from being sent into networks that only this machine can reach (server-side request forgery).

The address is judged where the connection is made, after the name was looked up: what was judged is what is called, and
an answer of the name server that changes meanwhile changes nothing.
"""

import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

LONGEST_URL = 1000  # characters
_PRIVATE_ENDS = (".localhost", ".local", ".internal")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that anybody on the Internet has (RFC 4291 2.4); the rest is local, or stands for something else."""
_OF_A_CLOUD = frozenset({ipaddress.IPv4Address("168.63.129.16")})
"""Public addresses that lead to a cloud's own services for a machine (Azure)."""

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]


class AddressRefused(OSError):
    """The name leads to an address that nothing may be sent to."""


def checked_url(text: str, *, private: bool) -> str:
    """The address of an endpoint. Raises ValueError with what is wrong. `private`: addresses of this machine and of
    private networks are allowed, and plain HTTP with them.
    """
    text = text.strip()
    if len(text) > LONGEST_URL or not text.isascii() or any(c.isspace() or not c.isprintable() for c in text):
        raise ValueError(f"an address has at most {LONGEST_URL} plain characters, without spaces")
    try:
        parts = urlsplit(text)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise ValueError("this is not an address like https://host.example.com/hooks") from None
    if parts.scheme not in ("https", "http") or not host:
        raise ValueError("this is not an address like https://host.example.com/hooks")
    if parts.scheme == "http" and not private:
        raise ValueError("the address must begin with https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("leave the name and password out of the address; messages are signed instead")
    if parts.fragment:
        raise ValueError("leave out what follows the #")
    if not private and (_is_forbidden(host) or f".{host}".endswith(_PRIVATE_ENDS)):
        raise ValueError("the address leads into a private network; LAPSEBOT_WEBHOOK_PRIVATE=true allows that")
    return text


def socket_factory(*, private: bool) -> Callable[[AddressInfo], socket.socket]:
    """Makes the sockets of an HTTP client, for addresses that are allowed only. Raises AddressRefused."""

    def made(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        if not private and _is_forbidden(str(address[0])):
            raise AddressRefused("the address is in a private network")
        return socket.socket(family, kind, protocol)

    return made


def _is_forbidden(host: str) -> bool:
    """Whether this is the literal of an address that is not of the public Internet, or hides one."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return _is_old_notation(host)  # else a name, judged when it was looked up
    if isinstance(address, ipaddress.IPv6Address):
        hidden = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if hidden is None and address in _NAT64:
            hidden = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if hidden is None:
            return not address.is_global or address not in _GLOBAL_UNICAST
        address = hidden
    return not address.is_global or address.is_multicast or address in _OF_A_CLOUD


def _is_old_notation(host: str) -> bool:
    """Whether this is an IPv4 address as C reads them: 2130706433, 0x7f.1, 127.1. No name that is told looks so."""
    try:
        socket.inet_aton(host)
    except (OSError, UnicodeEncodeError):
        return False
    return True
