"""Stripe's API over a world: what each path answers and when it refuses."""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson

from gtm_pipelines.sandbox.vendors.stripe import form, lists, search, writes
from gtm_pipelines.sandbox.vendors.stripe.errors import StripeError
from gtm_pipelines.sandbox.vendors.stripe.faults import StripeFaults
from gtm_pipelines.sandbox.vendors.stripe.limit import Limiter
from gtm_pipelines.sandbox.wire import Call, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gtm_pipelines.sandbox.tenants import Tenant

_KEY = "sk_test_sandbox_"
_VERSION = "2026-10-28.endive"
_EXPANDABLE = {"customer": "customers", "product": "products", "subscription": "subscriptions", "invoice": "invoices"}


def secret_key(tenant: str) -> str:
    """Return the account's secret key; fixed, for this is a sandbox."""
    return f"{_KEY}{tenant}"


def claims(parts: Sequence[str], headers: Mapping[str, str]) -> str | None:
    """Return whose key a request for ``/v1/…`` carries, for clients that are told a host and no path."""
    key = _given_key(headers) if parts[:1] == ["v1"] else ""
    return key.removeprefix(_KEY) if key.startswith(_KEY) else None


def answer(tenant: Tenant, call: Call) -> Reply:
    """Answer one request below ``/<tenant>/stripe/``."""
    faults = tenant.faults_of(StripeFaults)
    status, note = 200, ""
    try:
        body = _reads(tenant, call, faults)
    except StripeError as error:
        status, body, note = error.status, orjson.dumps(error.body).decode(), str(error)
    headers = {
        "content-type": "application/json",
        "request-id": f"req_{blake2b(repr(call).encode(), digest_size=7).hexdigest()}",
        "stripe-version": call.headers.get("stripe-version", _VERSION),
    }
    if status >= HTTPStatus.BAD_REQUEST and faults.should_retry is not None:
        headers["stripe-should-retry"] = faults.should_retry
    return Reply(status, body.encode(), headers, note)


def _reads(tenant: Tenant, call: Call, faults: StripeFaults) -> str:
    if tenant.state(Limiter).admit(faults.requests_per_second) < 0:
        raise StripeError(429, "Request rate limit exceeded.", code="rate_limit")
    key = _given_key(call.headers)
    if not key:
        raise StripeError(401, "You did not provide an API key.")
    if key != secret_key(tenant.id) or faults.revoke_key:
        raise StripeError(401, f"Invalid API Key provided: {key[:8]}***")
    version, *parts = call.path.strip("/").split("/")
    if version != "v1" or not parts:
        raise _unrecognised(call)
    if parts[0] in faults.forbid:
        raise StripeError(403, "The provided key does not have the required permissions for this endpoint.")
    if faults.take("lock_timeout_next"):
        raise StripeError(409, "This object cannot be accessed right now.", code="lock_timeout")
    given = form.parameters(call)
    return _written(tenant, call, parts, given) if call.method != "GET" else _asked(tenant, call, parts, given)


def _asked(tenant: Tenant, call: Call, parts: list[str], given: dict[str, Any]) -> str:
    match parts:
        case ["account"]:
            return orjson.dumps(
                {"id": "acct_1sandbox", "object": "account", "country": "US", "type": "standard"}
            ).decode()
        case ["balance"]:
            return orjson.dumps({"object": "balance", "available": [], "livemode": False, "pending": []}).decode()
        case ["customers", "search"]:
            found, following = search.customers(tenant, given)
            more, page = str(following is not None).lower(), orjson.dumps(following).decode()
            return (
                f'{{"object":"search_result","url":"/v1/customers/search","has_more":{more},"next_page":{page},'
                f'"data":[{",".join(found)}]}}'
            )
        case [path] if path in lists.KINDS:
            objects, more_follow = lists.page(tenant, path, given)
            data = ",".join(_expanded(tenant, text, given.get("expand"), "data.") for text in objects)
            return f'{{"object":"list","url":"/v1/{path}","has_more":{str(more_follow).lower()},"data":[{data}]}}'
        case [path, object_id] if path in lists.KINDS:
            return _expanded(tenant, lists.one(tenant, path, object_id), given.get("expand"), "")
    raise _unrecognised(call)


def _written(tenant: Tenant, call: Call, parts: list[str], given: dict[str, Any]) -> str:
    match call.method, parts:
        case "POST", ["customers"]:
            return writes.create(tenant, given)
        case "POST", ["customers", customer]:
            return writes.update(tenant, customer, given)
        case "POST", ["prices", price]:
            return writes.archive(tenant, price, given)
        case "DELETE", ["customers", customer]:
            return writes.delete(tenant, customer)
    raise _unrecognised(call)


def _expanded(tenant: Tenant, text: str, wanted: Any, prefix: str) -> str:
    """Put whole objects where their ids stand, for members named by ``expand[]``; one level deep."""
    if not wanted:
        return text
    whole = orjson.loads(text)
    for name in form.texts(wanted):
        member = name.removeprefix(prefix)
        if member not in _EXPANDABLE or member not in whole:
            raise StripeError(400, f"This property cannot be expanded ({member}).", param="expand")
        if whole[member] is not None:
            whole[member] = orjson.loads(lists.one(tenant, _EXPANDABLE[member], whole[member]))
    return orjson.dumps(whole).decode()


def _given_key(headers: Mapping[str, str]) -> str:
    """Read the key: as a bearer token, or as the user of HTTP Basic."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value
    try:
        return base64.b64decode(value).decode().partition(":")[0] if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _unrecognised(call: Call) -> StripeError:
    return StripeError(404, f"Unrecognized request URL ({call.method}: /{call.path}).")
