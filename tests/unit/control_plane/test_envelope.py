"""The sealed form of one value: it opens where it was sealed, unaltered, and nowhere else."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from connectors.runtime.redaction import Secret
from gtm_pipelines.control_plane import TamperedError, UnknownKeyError, VaultError
from gtm_pipelines.control_plane.vault.envelope import CanaryPlace, Place, seal, unseal
from gtm_pipelines.control_plane.vault.keys import Key, KeyRing

VECTORS = json.loads((Path(__file__).parent / "aes_256_gcm_wycheproof.json").read_text())["vectors"]
RING = KeyRing(SecretStr("0f" * 32))
PLACE = Place("acme", "crm", "client_secret", 7)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"tc{vector['tcId']}")
def test_the_cipher_agrees_with_wycheproof(vector: dict[str, Any]) -> None:
    key = Key(SecretStr(vector["key"]))
    nonce, data = bytes.fromhex(vector["iv"]), bytes.fromhex(vector["aad"])
    sealed = bytes.fromhex(vector["ct"] + vector["tag"])
    if vector["result"] == "valid":
        assert key.aead.decrypt(nonce, sealed, data) == bytes.fromhex(vector["msg"])
        assert key.aead.encrypt(nonce, bytes.fromhex(vector["msg"]), data) == sealed
    else:
        with pytest.raises(InvalidTag):
            key.aead.decrypt(nonce, sealed, data)


def test_there_are_as_many_vectors_as_the_source_has() -> None:
    assert len(VECTORS) == 66
    assert sum(vector["result"] == "invalid" for vector in VECTORS) == 27


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_to_the_same_text(value: str) -> None:
    assert unseal(seal(Secret(value), PLACE, RING.primary), PLACE, RING).reveal() == value


def test_the_envelope_shows_neither_value_nor_key() -> None:
    envelope = seal(Secret("s3cr3t-value-of-acme"), PLACE, RING.primary)
    assert envelope.startswith(f"gtm1.{RING.primary.kid}.")
    assert "s3cr3t" not in envelope
    assert "0f0f0f" not in envelope


def test_the_stored_form_does_not_change_between_versions() -> None:
    """An envelope sealed by the first release; a change that cannot open it would lock every customer out."""
    first = "gtm1.11a5f5234d46ae67.KX_dLjjh26ZRuCKX.gmkn07bp8GPQOHWEU4DLag9mSsPqj_pIjGjaJla6Gj2XcdmB"
    assert RING.primary.kid == "11a5f5234d46ae67"
    assert unseal(first, PLACE, RING).reveal() == "s3cr3t-value-of-acme"


def test_the_associated_data_is_a_json_array_that_names_the_key_too() -> None:
    expected = b'["gtm-vault",1,"0011223344556677","acme","crm","client_secret",7]'
    assert PLACE.associated_data("0011223344556677") == expected


def test_every_single_bit_flip_of_an_envelope_is_refused() -> None:
    envelope = seal(Secret("s3cr3t-value-of-acme"), PLACE, RING.primary).encode()
    refused = 0
    for position, bit in itertools.product(range(len(envelope)), range(8)):
        flipped = bytearray(envelope)
        flipped[position] ^= 1 << bit
        with pytest.raises((TamperedError, UnknownKeyError)):
            unseal(flipped.decode("latin-1"), PLACE, RING)
        refused += 1
    assert refused == len(envelope) * 8 == 696


def test_a_flipped_key_id_is_refused_even_when_that_key_is_loaded() -> None:
    """The id is part of what is authenticated: pointing a record at another loaded key does not open it."""
    other = SecretStr("a1" * 32)
    ring = KeyRing(SecretStr("0f" * 32), [other])
    envelope = seal(Secret("value"), PLACE, ring.primary)
    with pytest.raises(TamperedError):
        unseal(envelope.replace(ring.primary.kid, Key(other).kid), PLACE, ring)


PLACES = [
    Place(tenant, connection, field, version)
    for tenant in ("t1", "t12", "acme", "globex", "t_1")
    for connection in ("crm", "3crm", "sf", "cio", "files")
    for field in ("client_id", "client_secret", "app_api_key")
    for version in (1, 2)
]


def test_a_value_opens_in_its_own_place_and_in_no_other() -> None:
    envelopes = {place: seal(Secret(str(place)), place, RING.primary) for place in PLACES}
    refused = 0
    for sealed_for, opened_at in itertools.permutations(PLACES, 2):
        with pytest.raises(TamperedError):
            unseal(envelopes[sealed_for], opened_at, RING)
        refused += 1
    assert refused == len(PLACES) * (len(PLACES) - 1)
    assert all(unseal(envelopes[place], place, RING).reveal() == str(place) for place in PLACES)


def test_names_that_run_together_stay_apart() -> None:
    """Plain concatenation of the names would make these two places one."""
    envelope = seal(Secret("value"), Place("t1", "23", "f", 1), RING.primary)
    with pytest.raises(TamperedError):
        unseal(envelope, Place("t12", "3", "f", 1), RING)


def test_a_canary_is_no_credential_and_a_credential_no_canary() -> None:
    with pytest.raises(TamperedError):
        unseal(seal(Secret("value"), CanaryPlace(), RING.primary), PLACE, RING)
    with pytest.raises(TamperedError):
        unseal(seal(Secret("value"), PLACE, RING.primary), CanaryPlace(), RING)


KID = RING.primary.kid
MALFORMED = {
    "empty": "",
    "plain text": "s3cr3t-value-of-acme",
    "plain text that looks like a token": "xoxb-1.2.3",
    "prefix only": "gtm1.",
    "three parts": f"gtm1.{KID}.AAAAAAAAAAAAAAAA",
    "five parts": f"gtm1.{KID}.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA.AAAA",
    "another format": f"gtm2.{KID}.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA",
    "upper-case key id": f"gtm1.{KID.upper()}A.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA",
    "short nonce": f"gtm1.{KID}.AAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA",
    "no tag": f"gtm1.{KID}.AAAAAAAAAAAAAAAA.AAAA",
    "junk in base64": f"gtm1.{KID}.AAAAAAAA!AAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA",
    "padding": f"gtm1.{KID}.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAA==",
    "impossible length": f"gtm1.{KID}.AAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA",
    "not ASCII": f"gtm1.{KID}.\uff21AAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA",
    "newline at the end": f"gtm1.{KID}.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA\n",
}


@pytest.mark.parametrize("envelope", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_envelope_is_never_taken_for_a_value(envelope: str) -> None:
    with pytest.raises(TamperedError) as refusal:
        unseal(envelope, PLACE, RING)
    assert "s3cr3t" not in str(refusal.value)


def test_padding_bits_are_not_a_second_spelling() -> None:
    """Python's decoder ignores the unused bits of the last character: 16 spellings would mean the same bytes."""
    envelope = seal(Secret("x"), PLACE, RING.primary)  # 17 bytes: two bits of the last character mean nothing
    accepted = 0
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        try:
            unseal(envelope[:-1] + last, PLACE, RING)
        except VaultError:
            continue
        accepted += 1
    assert accepted == 1


def test_nonces_do_not_repeat() -> None:
    seen = {seal(Secret("value"), PLACE, RING.primary).split(".")[2] for _ in range(100_000)}
    assert len(seen) == 100_000


def test_an_unknown_key_is_its_own_error_and_names_what_is_loaded() -> None:
    envelope = seal(Secret("value"), PLACE, Key(SecretStr("a1" * 32)))
    with pytest.raises(UnknownKeyError, match=f"loaded: {KID}"):
        unseal(envelope, PLACE, RING)
