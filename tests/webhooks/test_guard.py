"""No message leads into a network that only this machine can reach."""

import socket

import pytest

from bot.webhooks.guard import AddressRefused, checked_url, socket_factory

PRIVATE = [
    "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.1.2.3", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "::ffff:0:7f00:1", "fec0::1",
    "64:ff9b:1::a00:1", "168.63.129.16", "192.0.2.1", "fd00:ec2::254", "fe80::1%eth0",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_a_private_network_is_refused_where_it_is_connected_to(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket_factory(private=False)
    with pytest.raises(AddressRefused):
        made((family, socket.SOCK_STREAM, 6, "", (address, 443)))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111", "64:ff9b::5db8:d70e"])
def test_an_address_of_the_internet_is_connected_to(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    socket_factory(private=False)((family, socket.SOCK_STREAM, 6, "", (address, 443))).close()


@pytest.mark.parametrize("host", [f"[{one}]" if ":" in one else one for one in PRIVATE])
def test_an_address_that_says_so_itself_is_refused_when_it_is_given(host: str) -> None:
    with pytest.raises(ValueError, match="private"):
        checked_url(f"https://{host}/hooks", private=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "ftp://hooks.example.com/",
        "http://hooks.example.com/",
        "https://",
        "https://user:password@hooks.example.com/",
        "https://hooks.example.com/#part",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\x00",
        "https://héoks.example.com/",
        "https://localhost/hooks",
        "https://localhost./hooks",
        "https://printer.local./",
        "https://metadata.google.internal./",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://017700000001/",
        "https://[::1%25lo]/",
        "https://metadata.internal/",
        "https://hooks.example.com/" + "a" * 1000,
        "https://[::1/",
    ],
)
def test_what_is_no_good_address_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        checked_url(url, private=False)


def test_a_good_address_stays_as_it_is() -> None:
    assert (
        checked_url(" https://hooks.example.com:8443/a?b=c ", private=False) == "https://hooks.example.com:8443/a?b=c"
    )
    assert checked_url("http://127.0.0.1:8080/", private=True) == "http://127.0.0.1:8080/"
