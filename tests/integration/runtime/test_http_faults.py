"""The vendor's HTTP faults, each with the exact outcome the fault matrix demands (FAULTS 2.A)."""

from __future__ import annotations

import gzip
import itertools
import zlib
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import Deferred, Reauthorise, Resync, Retry, Stop
from connectors.runtime.classification import Do, Verdict
from connectors.runtime.redaction import Secret
from connectors.runtime.transport import Limits, RateLimit, Request
from tests.integration.runtime.conftest import MakeTransport
from tests.integration.runtime.vendor import Reply, Vendor
from tests.stand_ins import VirtualTime


def page(vendor: Vendor, path: Any = "/people", **options: Any) -> Any:
    return Request(options.pop("method", "GET"), vendor.origin + path, **options)


def test_v01_retry_after_is_waited_for_and_no_longer_than_half_a_second_more(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [reply(429, headers={"Retry-After": "3"}), reply(body=b'{"ok":1}')]
    assert make_transport().send(page(vendor)).json() == {"ok": 1}
    first, second = (asked.at for asked in vendor.asked)
    assert 3.0 <= second - first <= 3.5


def test_v01_other_connections_do_not_wait(vendor: Vendor, reply: type[Reply], make_transport: MakeTransport) -> None:
    vendor.script = [reply(429, headers={"Retry-After": "200"}), reply()]
    busy, other = make_transport(), make_transport()
    busy.send(page(vendor))
    before = vendor.asked[-1].at
    other.send(page(vendor))
    assert vendor.asked[-1].at == before


@pytest.mark.parametrize("our_clock_is_off", [-3600, 0, 3600])
def test_v02_a_retry_date_counts_from_the_response_date_not_our_clock(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport, virtual: VirtualTime, our_clock_is_off: Any
) -> None:
    theirs = virtual.started
    virtual.started += timedelta(seconds=our_clock_is_off)
    dates = {"Date": format_datetime(theirs, usegmt=True)}
    vendor.script = [
        reply(429, headers={**dates, "Retry-After": format_datetime(theirs + timedelta(seconds=7), usegmt=True)}),
        reply(),
    ]
    make_transport().send(page(vendor))
    assert 7.0 <= vendor.asked[1].at - vendor.asked[0].at <= 7.5


def test_v02_a_retry_date_in_the_past_is_normal_backoff_and_never_no_delay(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport, virtual: VirtualTime
) -> None:
    now = virtual.started
    past = format_datetime(now - timedelta(hours=1), usegmt=True)
    vendor.script = [reply(429, headers={"Date": format_datetime(now, usegmt=True), "Retry-After": past}), reply()]
    make_transport().send(page(vendor))
    assert virtual.slept == [1.0]


@pytest.mark.parametrize("value", ["-3", "1e9", "999999999", "abc", "", "0", "3 s", "٣"])
def test_v03_an_unusable_retry_after_counts_as_absent(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport, virtual: VirtualTime, value: Any
) -> None:
    first = reply(
        raw=f"HTTP/1.1 429 Too\r\nRetry-After: {value}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()
    )
    vendor.script = [first, first, first, reply()]
    make_transport().send(page(vendor))
    assert virtual.slept == [1.0, 2.0, 4.0]  # full jitter, here always its upper end: base 1 s, doubling


def test_v03_backoff_is_capped_at_a_minute(
    make_transport: MakeTransport, vendor: Vendor, reply: type[Reply], virtual: VirtualTime
) -> None:
    vendor.script = [reply(429)]
    with pytest.raises(Retry):
        make_transport(attempts={"rate_limited": 9}).send(page(vendor))
    assert max(virtual.slept) == 60.0


def test_v04_a_long_retry_after_defers_with_the_time_to_resume(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport, virtual: VirtualTime
) -> None:
    vendor.script = [reply(429, headers={"Retry-After": "3600"})]
    with pytest.raises(Deferred) as caught:
        make_transport().send(page(vendor))
    assert caught.value.resume_at == virtual.started + timedelta(hours=1)
    assert len(vendor.asked) == 1
    assert virtual.slept == []


def test_v05_a_429_storm_ends_after_eight_attempts(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [reply(429)]
    with pytest.raises(Retry) as caught:
        make_transport().send(page(vendor))
    assert caught.value.code == "rate_limited"
    assert not isinstance(caught.value, Deferred)
    assert len(vendor.asked) == 8


def test_v05_a_429_storm_ends_after_ten_minutes(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport, virtual: VirtualTime
) -> None:
    vendor.script = [reply(429, headers={"Retry-After": "250"})]
    with pytest.raises(Deferred):
        make_transport().send(page(vendor))
    assert virtual.seconds - 1000 <= 600
    assert len(vendor.asked) == 3


def test_v06_a_rate_limit_inside_a_200_is_no_data(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    limited = reply(body=b'{"data":null,"errors":[{"message":"x","extensions":{"code":"THROTTLED"}}]}')
    vendor.script = [limited, reply(body=b'{"data":[1]}')]
    assert make_transport().send(page(vendor)).json() == {"data": [1]}


def test_v06_a_secondary_limit_inside_a_403_is_waited_for(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [reply(403, headers={"Retry-After": "2"}), reply()]
    make_transport().send(page(vendor))
    assert len(vendor.asked) == 2


def test_v07_three_500s_then_200_is_success_in_exactly_four_requests(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [reply(500), reply(502), reply(503), reply(body=b"[1]")]
    transport = make_transport()
    assert transport.send(page(vendor)).json() == [1]
    assert (len(vendor.asked), transport.stats.requests, transport.stats.retries) == (4, 4, 3)


def test_v08_a_vendor_that_is_down_is_left_alone_then_probed_once_and_recovers(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport, virtual: VirtualTime
) -> None:
    vendor.script = [reply(500)]
    transport = make_transport()
    for _ in range(2):
        with pytest.raises(Retry, match="vendor_unavailable"):
            transport.send(page(vendor))
    asked = len(vendor.asked)
    with pytest.raises(Retry, match="left alone"):
        transport.send(page(vendor))
    assert len(vendor.asked) == asked
    virtual.sleep(31)
    with pytest.raises(Retry):
        transport.send(page(vendor))
    assert len(vendor.asked) == asked + 1  # the probe is one request, without retries
    vendor.script = [reply()]
    virtual.sleep(61)
    assert transport.send(page(vendor)).status == 200
    assert transport.send(page(vendor)).status == 200


def test_v08_one_broken_endpoint_does_not_silence_a_healthy_one(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [lambda asked: reply(500) if asked.target == "/broken" else reply()]
    transport = make_transport()
    for _ in range(3):
        with pytest.raises(Retry, match="vendor_unavailable: the vendor has trouble"):
            transport.send(page(vendor, "/broken"))
        assert transport.send(page(vendor, "/healthy")).status == 200


def test_v08_pages_that_are_broken_do_not_close_the_connection_to_whole_ones(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [lambda asked: reply(body=b"[1") if asked.target == "/broken" else reply()]
    transport = make_transport()
    for _ in range(3):
        with pytest.raises(Stop, match="malformed_page"):
            transport.send(page(vendor, "/broken"))
    assert transport.send(page(vendor, "/healthy")).status == 200


def test_v09_a_reset_before_the_headers_repeats_a_safe_request(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [reply(reset=True), reply(body=b"[1]")]
    assert make_transport().send(page(vendor)).json() == [1]


def test_v09_an_unsafe_request_with_unknown_outcome_is_never_sent_twice(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [reply(reset=True), reply()]
    with pytest.raises(Retry, match="connection_failed"):
        make_transport().send(page(vendor, method="POST", json={}))
    assert len(vendor.asked) == 1


def test_a_post_that_only_reads_is_repeated_when_it_says_so(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [reply(503), reply()]
    make_transport().send(page(vendor, method="POST", json={"a": 1}, safe=True))
    assert [asked.body for asked in vendor.asked] == [b'{"a":1}', b'{"a":1}']


def test_v10_a_body_shorter_than_announced_is_thrown_away_whole(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n[1,2"), reply(body=b"[1,2,3]")]
    assert make_transport().send(page(vendor)).json() == [1, 2, 3]


def test_v11_truncated_json_is_malformed_and_read_three_times_more(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [reply(body=b'{"records":[{"id":1},{"id"')]
    with pytest.raises(Stop) as caught:
        make_transport().send(page(vendor))
    assert caught.value.code == "malformed_page"
    assert len(vendor.asked) == 4


def test_v12_a_gzip_cut_in_the_middle_is_malformed_and_read_again(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    whole = gzip.compress(b'{"records":[' + b"1," * 5000 + b"1]}")
    vendor.script = [
        reply(body=whole[:-9], headers={"Content-Encoding": "gzip"}),
        reply(body=whole, headers={"Content-Encoding": "gzip"}),
    ]
    assert len(make_transport().send(page(vendor)).json()["records"]) == 5001
    assert len(vendor.asked) == 2


def test_v13_a_trickle_is_cut_off_at_the_total_limit_and_tried_once_more(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [reply(body=b"[" + b" " * 200 + b"]", drip=0.02)]
    with pytest.raises(Retry) as caught:
        make_transport(limits=Limits(read=5, total=0.25)).send(page(vendor))
    assert caught.value.code == "request_timeout"
    assert len(vendor.asked) == 2


def test_v13_a_trickle_of_headers_is_cut_off_too(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [reply(raw=b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200, drip=0.02)]
    with pytest.raises(Retry, match="request_timeout"):
        make_transport(limits=Limits(read=5, total=0.25)).send(page(vendor))


def test_v14_silence_after_the_request_is_a_read_timeout(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [reply(hang=True)]
    with pytest.raises(Retry, match="read_timeout"):
        make_transport(limits=Limits(read=0.1, total=5)).send(page(vendor))
    assert len(vendor.asked) == 3


def test_v15_a_body_beyond_the_limit_is_refused_at_once(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [reply(body=b"[" + b"1," * 1_100_000 + b"1]")]
    with pytest.raises(Stop) as caught:
        make_transport(limits=Limits(body=2 * 1024 * 1024)).send(page(vendor))
    assert caught.value.code == "response_too_large"
    assert len(vendor.asked) == 1


def test_v15_a_small_gzip_cannot_become_a_large_body(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(bomb.compress(b"\0" * 1_048_576) for _ in range(200)) + bomb.flush()
    assert len(body) < 300_000
    vendor.script = [reply(body=body, headers={"Content-Encoding": "gzip"})]
    with pytest.raises(Stop, match="response_too_large"):
        make_transport().send(page(vendor))


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd", "compress"])
def test_v15_stacked_or_unasked_encodings_are_refused(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport, encoding: Any
) -> None:
    vendor.script = [reply(headers={"Content-Encoding": encoding})]
    with pytest.raises(Stop, match="unexpected_encoding"):
        make_transport().send(page(vendor))


def test_v16_a_login_page_is_no_data_and_asked_for_twice_at_most(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [reply(body=b"<html>sign in", headers={"Content-Type": "text/html; charset=utf-8"})]
    with pytest.raises(Stop) as caught:
        make_transport().send(page(vendor))
    assert caught.value.code == "unexpected_content_type"
    assert len(vendor.asked) == 2


def test_v17_a_204_is_an_empty_answer(vendor: Vendor, reply: type[Reply], make_transport: MakeTransport) -> None:
    vendor.script = [reply(204, body=b"", headers={"Content-Length": ""})]
    assert make_transport().send(page(vendor)).content == b""


@pytest.mark.parametrize("status", [206, 304])
def test_v17_a_partial_or_not_modified_list_is_an_error(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport, status: Any
) -> None:
    vendor.script = [reply(status, body=b"", headers={"Content-Length": ""} if status == 304 else {})]
    with pytest.raises(Stop, match="unexpected_status"):
        make_transport().send(page(vendor))


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (400, Stop, "bad_request"),
        (401, Reauthorise, "unauthorised"),
        (403, Stop, "permission_denied"),
        (404, Stop, "stream_gone"),
        (410, Resync, "cursor_expired"),
        (413, Stop, "request_too_large"),
        (414, Stop, "request_too_large"),
        (418, Stop, "bad_request"),
    ],
)
def test_other_statuses_say_what_to_do_next_and_are_not_repeated(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport, status: Any, error: Any, code: Any
) -> None:
    vendor.script = [reply(status, body=b'[{"message":"jane@acme.test","errorCode":"SOME_CODE"}]')]
    with pytest.raises(error) as caught:
        make_transport().send(page(vendor, "/people/jane@acme.test", params={"token": "s3cr3t-value"}))
    assert (caught.value.code, caught.value.status, len(vendor.asked)) == (code, status, 1)
    assert "SOME_CODE" in str(caught.value)
    assert "jane" not in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_s03_a_redirect_is_an_error_and_nobody_is_asked_after_it(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport, status: Any
) -> None:
    vendor.script = [reply(status, headers={"Location": vendor.origin + "/elsewhere"})]
    with pytest.raises(Stop, match="redirect_refused"):
        make_transport().send(page(vendor))
    assert [asked.target for asked in vendor.asked] == ["/people"]


def test_a_vendors_hook_decides_before_the_table(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport, virtual: VirtualTime
) -> None:
    vendor.script = [reply(403, body=b'[{"errorCode":"REQUEST_LIMIT_EXCEEDED"}]')]
    with pytest.raises(Deferred) as caught:
        make_transport().send(
            page(vendor), classify=lambda _response: Verdict(Do.DEFER, "quota_spent", "the day's calls are used", 60)
        )
    assert caught.value.resume_at == virtual.started + timedelta(seconds=60)


def test_s05_proxy_variables_and_netrc_are_ignored(
    vendor: Vendor, make_transport: MakeTransport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    make_transport().send(page(vendor))
    assert "authorization" not in vendor.asked[0].headers


def test_s17_cookies_are_not_kept(vendor: Vendor, reply: type[Reply], make_transport: MakeTransport) -> None:
    vendor.script = [reply(headers={"Set-Cookie": "sid=1; Path=/"})]
    transport = make_transport()
    transport.send(page(vendor))
    transport.send(page(vendor))
    assert "cookie" not in vendor.asked[1].headers


def test_s09_a_header_with_a_line_break_is_refused(vendor: Vendor, make_transport: MakeTransport) -> None:
    with pytest.raises(Stop, match="bad_request"):
        make_transport().send(page(vendor, headers={"X-A": "a\r\nX-B: b"}))
    assert vendor.asked == []


def test_parameters_without_a_value_are_left_out_and_the_rest_is_encoded(
    vendor: Vendor, make_transport: MakeTransport
) -> None:
    make_transport().send(page(vendor, params={"q": "a b&c=d", "start": None, "id": [1, 2]}))
    assert vendor.asked[0].target == "/people?q=a+b%26c%3Dd&id=1&id=2"


def test_the_rate_limit_spaces_requests_out(vendor: Vendor, make_transport: MakeTransport) -> None:
    transport = make_transport(rate=RateLimit(2, per=1.0, burst=1))
    for _ in range(5):
        transport.send(page(vendor))
    times = [asked.at for asked in vendor.asked]
    assert all(0.49 <= later - earlier <= 0.51 for earlier, later in itertools.pairwise(times))


def test_stats_count_what_the_connection_cost(
    vendor: Vendor, reply: type[Reply], make_transport: MakeTransport
) -> None:
    vendor.script = [reply(500), reply(body=b'{"a":1}')]
    transport = make_transport()
    transport.send(page(vendor))
    assert (transport.stats.requests, transport.stats.bytes, transport.stats.retries) == (2, 9, 1)
    assert transport.stats.waited == 1.0


def test_m14_nothing_the_http_library_logs_holds_the_url_or_a_key(
    vendor: Vendor, make_transport: MakeTransport, caplog: pytest.LogCaptureFixture
) -> None:
    key = Secret("canary-0123456789")
    with caplog.at_level("DEBUG"):
        make_transport().send(page(vendor, params={"api_key": key.reveal()}))
    assert "canary" not in caplog.text
    assert "api_key" not in caplog.text
