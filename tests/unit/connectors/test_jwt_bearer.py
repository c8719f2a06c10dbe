"""An assertion is signed with the connection's own key and says who, for whom, and for how long."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from connectors.errors import Reauthorise
from connectors.runtime.auth import JwtBearer
from connectors.runtime.redaction import redact
from tests.stand_ins import MemoryStore, VirtualTime

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


def auth(store: MemoryStore, virtual: VirtualTime) -> JwtBearer:
    url = "https://login.vendor.com/token"
    return JwtBearer(store, url, clock=virtual.clock, audience="https://login.vendor.com")


def unpacked(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def test_the_assertion_verifies_and_ends_in_three_minutes() -> None:
    virtual = VirtualTime()
    store = MemoryStore(client_id="client-0001", username="robot@acme.test", private_key=pem(KEY))
    request = auth(store, virtual).token_request(store.read())
    assertion = parse_qs(request.content.decode())["assertion"][0]
    head, claims, signature = assertion.split(".")
    KEY.public_key().verify(unpacked(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    assert json.loads(unpacked(head))["alg"] == "RS256"
    assert json.loads(unpacked(claims)) == {
        "iss": "client-0001",
        "sub": "robot@acme.test",
        "aud": "https://login.vendor.com",
        "exp": int(virtual.clock().timestamp()) + 180,
    }
    assert assertion not in redact(f"sent {assertion}")


@pytest.mark.parametrize("key", ["", "not a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
def test_a_key_that_is_none_asks_for_a_person_without_repeating_it(key: str) -> None:
    store = MemoryStore(client_id="client-0001", username="robot@acme.test", private_key=key)
    with pytest.raises(Reauthorise) as caught:
        auth(store, VirtualTime()).token_request(store.read())
    assert "AAAA" not in str(caught.value)


def test_a_key_of_another_kind_is_refused() -> None:
    store = MemoryStore(
        client_id="c-000001", username="robot@acme.test", private_key=pem(ec.generate_private_key(ec.SECP256R1()))
    )
    with pytest.raises(Reauthorise, match="not an RSA key"):
        auth(store, VirtualTime()).token_request(store.read())
