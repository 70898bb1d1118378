"""What counts as one client."""

import pytest

from mymozhem.api.client_address import client_network


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff"),
        ("2001:db8:0:1::1", "2001:DB8:0:1:0:0:0:2"),
        ("fe80::1%eth0", "fe80::2"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2002:c633:6407::1", "2002:c633:6407:1::1"),
        ("2002:c633:6407::1", "198.51.100.7"),
    ],
)
def test_addresses_of_one_customer_are_one(one, other):
    assert client_network(one) == client_network(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:2::1"),
        ("198.51.100.7", "198.51.100.8"),
        ("::ffff:198.51.100.7", "::ffff:198.51.100.8"),
        ("unix:", ""),
        ("198.51.100.7", "198.51.100.7.example"),
    ],
)
def test_addresses_of_two_customers_are_two(one, other):
    assert client_network(one) != client_network(other)
