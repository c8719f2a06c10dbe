"""Where a connector may send a request (FAULTS 2.H, 5.1, 5.2), judged without a packet."""

from __future__ import annotations

import socket
from typing import Any

import httpcore
import pytest

from connectors.errors import Stop
from connectors.runtime.egress import EgressPolicy, GuardedBackend
from connectors.runtime.hosts import is_host_pattern, is_public

POLICY = EgressPolicy(frozenset({"api.vendor.com", "*.salesforce.com"}), "http://127.0.0.1:8765")

HOSTILE = [
    "http://api.vendor.com/", "https://127.0.0.1/", "https://127.1/", "https://0/", "https://2130706433/",
    "https://2852039166/", "https://017700000001/", "https://0177.0.0.1/", "https://0x7f000001/", "https://0x7f.1/",
    "https://0xa9fea9fe/", "https://127.0.0.1./", "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/", "https://[::ffff:0:127.0.0.1]/",
    "https://[64:ff9b::a9fe:a9fe]/", "https://[64:ff9b:1:a9fe:a9:fe00::]/", "https://[2002:a9fe:a9fe::]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", "https://[fd00:ec2::254]/", "https://[fe80::1%25eth0]/",
    "https://[fec0::1]/", "https://169.254.169.254/latest/meta-data/", "https://100.100.100.200/",
    "https://168.63.129.16/", "https://192.0.0.192/", "https://metadata.google.internal/", "https://localhost/",
    "https://foo.localhost/", "https://kubernetes.default.svc.cluster.local/", "https://intranet/",
    "https://api.vendor.com@127.0.0.1/", "https://user:pass@api.vendor.com/", "https://127.1.1.1:80\\@127.2.2.2:80/",
    "https://api.vendor.com\\@127.0.0.1/", "https://api.vendor.com#@127.0.0.1/",
    "https://1.1.1.1 &@2.2.2.2# @3.3.3.3/", "https://127.0.0.1%00.vendor.com/", "https://ex%61mple.com/",
    "https:127.0.0.1/", "///127.0.0.1/", "https://api.vendor.com:6379/", "https://api.vendor.com:99999/",
    "gopher://127.0.0.1:6379/_INFO", "http+unix://%2Fvar%2Frun%2Fdocker.sock/info", "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/", "https://loc\u00adalhost/", "https://api.vendor.com/\n", "", "https://", "https:///x",
    "https://api.vendor.com.evil.com/", "https://evilsalesforce.com/", "https://salesforce.com/",
    "https://api.vendor.com/a/../b", "https://api.vendor.com/%2e%2e/b", "https://api.vendor.com/a%2fb",
    "https://api.vendor.com/a%5Cb", "https://api.vendor.com/..", "https://api.vendor.com?x=1#f",
    "http://127.0.0.1:8766/", "http://127.0.0.1/", "https://127.0.0.1:8765/", "http://127.0.0.1:87650/",
    "http://127.0.0.1:8765@evil.com/", "http://127.0.0.1:8765.evil.com/", "http://localhost:8765/",
]  # fmt: skip


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_url_is_refused_with_a_reason(url: Any) -> None:
    with pytest.raises(Stop, match=r"egress_refused: .{10}"):
        POLICY.check(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.vendor.com", "https://api.vendor.com/", "https://api.vendor.com:443/v1/people?start=a%2Fb",
        "https://API.Vendor.Com/x", "https://na1.my.salesforce.com/services/data/v64.0/query/01g-2000",
        "https://api.vendor.com/people/jane%40acme.com", "http://127.0.0.1:8765/acme/salesforce",
        "http://127.0.0.1:8765?x=1", "http://127.0.0.1:8765",
    ],
)  # fmt: skip
def test_an_honest_url_passes(url: Any) -> None:
    assert POLICY.check(url) == url


@pytest.mark.parametrize(
    "address",
    [
        "0.1.2.3", "10.1.2.3", "100.64.0.1", "127.0.0.1", "168.63.129.16", "169.254.169.254", "172.16.0.1",
        "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::1",
        "::", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::", "2001:db8::1", "2001::1", "3fff::1", "5f00::1", "fc00::1", "fe80::1%eth0", "fec0::1",
        "ff02::1", "100::1", "nonsense", "",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_never_dialled(address: Any) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_pass(address: Any) -> None:
    assert is_public(address)


class Resolver:
    """Gives one scripted answer after the other, and counts."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.calls = 0

    def __call__(self, _host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.calls += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self.answers.pop(0)]


@pytest.mark.parametrize(
    "answer", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"], []]
)
def test_s02_one_bad_answer_refuses_the_whole_lookup(answer: Any) -> None:
    resolver = Resolver(answer)
    with pytest.raises(Stop, match="egress_refused") as caught:
        GuardedBackend(POLICY, resolver).connect_tcp("api.vendor.com", 443)
    assert resolver.calls == 1
    assert not any(address in str(caught.value) for address in answer)  # S16: no map of the inside


def test_s02_the_judged_address_is_the_one_dialled_and_the_name_is_looked_up_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolver = Resolver(["93.184.216.34"], ["127.0.0.1"])  # a rebinding name would answer differently the second time
    dialled: list[tuple[str, int]] = []

    def create(address: Any, *_args: Any, **_options: Any) -> None:
        dialled.append(address)
        raise OSError("no network in a unit test")

    monkeypatch.setattr(socket, "create_connection", create)
    with pytest.raises(httpcore.ConnectError):
        GuardedBackend(POLICY, resolver).connect_tcp("api.vendor.com", 443)
    assert (dialled, resolver.calls) == ([("93.184.216.34", 443)], 1)


@pytest.mark.parametrize(
    ("host", "port", "address"),
    [
        ("127.0.0.1", 8766, "127.0.0.1"),  # the sandbox's host on another port
        ("127.0.0.1", 8765, "93.184.216.34"),  # the sandbox's origin pointing outside
        ("api.vendor.com", 80, "93.184.216.34"),
        ("other.vendor.com", 443, "93.184.216.34"),
    ],
)
def test_the_connect_gate_does_not_trust_the_url_gate(host: Any, port: Any, address: Any) -> None:
    with pytest.raises(Stop, match="egress_refused"):
        GuardedBackend(POLICY, Resolver([address])).connect_tcp(host, port)


def test_local_sockets_are_refused() -> None:
    with pytest.raises(Stop, match="egress_refused"):
        GuardedBackend(POLICY).connect_unix_socket("/var/run/docker.sock")


@pytest.mark.parametrize(
    "pattern", ["*", "*.com", "", "vendor", "127.0.0.1", "a.*.com", "api.vendor.com:443", "x.local"]
)
def test_a_pattern_that_allows_too_much_cannot_be_in_a_policy(pattern: Any) -> None:
    assert not is_host_pattern(pattern)
    with pytest.raises(ValueError, match="allowed host"):
        EgressPolicy(frozenset({pattern}))
