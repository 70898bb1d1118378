"""Which addresses may be reached, whatever form they are written in; no packet leaves here."""

import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mymozhem.config import Settings
from mymozhem.outbound import AddressForbidden, Guard, Outbound
from mymozhem.outbound.connector import Refused, guarded
from mymozhem.outbound.guard import LOOPBACK

PUBLIC = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"]
CLOSED = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::8.8.8.8",
    "::ffff:8.8.8.8",
    "::ffff:10.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:0808:0808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_reached(address):
    assert Guard().allows_text(address)


@pytest.mark.parametrize("address", CLOSED)
def test_what_is_not_public_may_not_be_reached(address):
    assert not Guard().allows_text(address)


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "010.0.0.1"]
)
def test_what_is_no_canonical_ip_may_not_be_reached(text):
    assert not Guard([ip_network("0.0.0.0/0"), ip_network("::/0")]).allows_text(text)


@given(st.ip_addresses())
def test_nothing_passes_that_the_library_calls_closed(address):
    if Guard().allows(address):
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved


@given(st.ip_addresses(v=4))
def test_no_ipv6_form_carries_an_ipv4_address_past_the_guard(inner):
    number = int(inner)
    forms = [
        int(ipaddress.IPv6Address(prefix)) | number
        for prefix in ("::", "::ffff:0:0", "::ffff:0:0:0", "64:ff9b::", "64:ff9b:1::")
    ]
    forms.append(int(IPv6Address("2002::")) | number << 80)  # 6to4
    forms.append(int(IPv6Address("2001::")) | (number ^ 0xFFFFFFFF))  # Teredo
    assert not any(Guard().allows(IPv6Address(form)) for form in forms)


def test_an_operator_allows_a_network_and_no_other():
    guard = Guard([ip_network("10.1.0.0/16"), ip_network("fd00::/8")])
    assert guard.allows_text("10.1.2.3")
    assert guard.allows_text("fd00::7")
    assert not guard.allows_text("10.2.0.1")
    assert not guard.allows_text("::ffff:10.1.2.3")
    assert not guard.allows_text("127.0.0.1")


@pytest.mark.parametrize(
    ("environment", "allowed"), [("production", False), ("demo", True), ("test", True)]
)
def test_loopback_is_allowed_where_the_host_is_tried_out(environment, allowed):
    guard = Guard.of(Settings(_env_file=None, environment=environment))
    assert guard.allows_text("127.0.0.1") is allowed
    assert guard.allows_text("::1") is allowed
    assert not guard.allows_text("10.0.0.1")


def test_networks_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("MYMOZHEM_ALLOW_NETWORKS", "10.0.0.0/8, fd00::/8")
    assert Guard.of(Settings(_env_file=None)).allows_text("10.9.9.9")
    monkeypatch.setenv("MYMOZHEM_ALLOW_NETWORKS", "everything")
    with pytest.raises(ValueError, match="allow_networks"):
        Settings(_env_file=None)


GOOD = [
    "https://raffle.example.com",
    "https://raffle.example.com:8443/a/path",
    "https://8.8.8.8/",
    "https://[2606:4700::1111]/",
    "https://дом.рф/",
]
BAD = [
    "",
    "raffle.example.com",
    "//raffle.example.com",
    "http://raffle.example.com",
    "http://8.8.8.8",
    "ftp://raffle.example.com",
    "file:///etc/passwd",
    "https:///path",
    "https://user@raffle.example.com",
    "https://user:word@raffle.example.com",
    "https://raffle.example.com:0",
    "https://raffle.example.com:99999",
    "https://a b/",
    "https://a%00b/",
    "https://localhost",
    "https://LOCALHOST.",
    "https://deep.localhost",
    "https://127.0.0.1",
    "https://127.0.0.1.",
    "https://127.1",
    "https://0x7f000001",
    "https://2130706433",
    "https://0177.0.0.1",
    "https://①②⑦.0.0.1",
    "https://127。0。0。1",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://[fe80::1%25eth0]",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1",
    f"https://raffle.example.com/{'a' * 2_048}",
]


@pytest.mark.parametrize("url", GOOD)
def test_an_address_of_an_app_may_be_stored(url):
    assert Guard().check_url(url).scheme == "https"


@pytest.mark.parametrize("url", BAD)
def test_an_address_that_leads_inside_or_nowhere_is_refused_at_once(url):
    with pytest.raises(AddressForbidden) as refused:
        Guard().check_url(url)
    assert refused.value.status == 422
    assert "10.0.0.1" not in refused.value.message


@pytest.mark.parametrize("url", ["http://localhost:9001", "http://127.0.0.1", "https://[::1]"])
def test_loopback_may_be_plain_where_it_is_allowed(url):
    assert Guard(LOOPBACK).check_url(url)
    with pytest.raises(AddressForbidden):
        Guard().check_url(url)


def test_an_allowed_network_is_still_reached_over_https_alone():
    guard = Guard([ip_network("10.0.0.0/8")])
    assert guard.check_url("https://10.0.0.1")
    with pytest.raises(AddressForbidden):
        guard.check_url("http://10.0.0.1")


@given(st.ip_addresses())
def test_the_guard_decides_before_there_is_a_socket(address):
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    info = (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (str(address), 443))
    if Guard().allows(address):
        guarded(Guard())(info).close()
        return
    with pytest.raises(Refused):
        guarded(Guard())(info)


class Lying(aiohttp.abc.AbstractResolver):
    """A name server that leads inside."""

    def __init__(self, *addresses):
        self.addresses = addresses

    async def resolve(self, host, port=0, family=socket.AF_INET):
        return [
            {
                "hostname": host,
                "host": each,
                "port": port,
                "family": socket.AF_INET if ip_address(each).version == 4 else socket.AF_INET6,
                "proto": socket.IPPROTO_TCP,
                "flags": socket.AI_NUMERICHOST,
            }
            for each in self.addresses
        ]

    async def close(self):
        pass


@pytest.mark.parametrize(
    "addresses",
    [("169.254.169.254",), ("10.0.0.1", "10.0.0.2"), ("::1", "127.0.0.1"), ("::ffff:7f00:1",)],
)
async def test_a_name_that_leads_inside_is_refused_when_it_is_connected(addresses):
    outbound = Outbound(Guard(), resolver=Lying(*addresses))
    with pytest.raises(AddressForbidden):
        await outbound.post(
            "https://raffle.example.com/hook", b"{}", pool="raffle", headers={}, seconds=5
        )
    await outbound.close()
