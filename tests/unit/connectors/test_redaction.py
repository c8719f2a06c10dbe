"""A secret stays a secret wherever Python would show it (FAULTS K10, M14)."""

from __future__ import annotations

import base64
import copy
import json
import logging
import pickle
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest

from connectors.runtime.redaction import MASK, RedactingFormatter, Secret, protect_logging, redact

VALUE = "p@ss/w0rd+ü =\"'&%20\\n{x}"


@pytest.fixture
def secret() -> Any:
    return Secret(VALUE)


def test_only_reveal_shows_the_text(secret: Secret) -> None:
    assert secret.reveal() == VALUE
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret:>40}", "%s %r" % (secret, secret), repr([secret])):  # noqa: UP031
        assert VALUE not in shown
        assert MASK in shown


def test_a_secret_is_not_serialised(secret: Secret) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)
    with pytest.raises(TypeError):
        json.dumps({"key": secret})


@pytest.mark.parametrize(
    "spell",
    [
        str,
        quote,
        lambda value: quote(value, safe=""),
        quote_plus,
        lambda value: urlencode({"key": value}),
        json.dumps,
        lambda value: json.dumps(value, ensure_ascii=False),
        repr,
        lambda value: repr(value.encode()),
        lambda value: value.encode().hex(),
        lambda value: value.encode().hex().upper(),
        lambda value: "".join(f"%{byte:02x}" for byte in value.encode()),
        lambda value: base64.b64encode(value.encode()).decode(),
        lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
        lambda value: base64.b64encode(b"user:" + value.encode()).decode(),
        lambda value: base64.b64encode(b"me:" + value.encode() + b":x").decode(),
        lambda value: base64.b64encode(b"id:x:" + value.encode() + b"tail").decode(),
        lambda value: base64.b64encode(b"x:y:" + value.encode()).decode(),
    ],
)
@pytest.mark.usefixtures("secret")
def test_every_spelling_is_taken_out_of_text(spell: Any) -> None:
    spelled = spell(VALUE)
    cleaned = redact(f"before {spelled} after")
    assert MASK in cleaned
    # in base64 the neighbours stay, with the group they share with the value: ten characters in a row never do
    assert not any(spelled[at : at + 10] in cleaned for at in range(len(spelled) - 9))


def test_the_longest_secret_goes_first() -> None:
    Secret("abcdef-123")
    Secret("abcdef-123-longer")
    assert redact("key=abcdef-123-longer") == f"key={MASK}"


def test_short_words_are_left_alone() -> None:
    Secret("ok")
    assert redact("all ok") == "all ok"


@pytest.mark.usefixtures("secret")
def test_the_formatter_redacts_message_arguments_and_traceback() -> None:
    formatter = RedactingFormatter(logging.Formatter("%(message)s"))
    try:
        int(VALUE)
    except ValueError as error:
        record = logging.LogRecord(
            "x", 10, "f", 1, "sent %s to %s", (VALUE, "vendor"), (ValueError, error, error.__traceback__)
        )
    text = formatter.format(record)
    assert VALUE not in text
    assert "Traceback" in text
    assert "vendor" in text


@pytest.mark.usefixtures("secret")
def test_protecting_a_logger_covers_its_handlers_once_and_quiets_the_http_libraries() -> None:
    logger, lines = logging.getLogger("gtm-test"), []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    logger.addHandler(Handler())
    protect_logging(logger)
    protect_logging(logger)
    logger.warning("key %s", VALUE)
    assert lines[0].endswith(f"key {MASK}")
    assert logging.getLogger("httpx").level == logging.WARNING
