"""Sessions made from stored credentials: one refresh at a time, stored before it is used.

The flow is the HTTP library's auth generator: it yields requests and is handed answers, and does no I/O but reading and
writing the credential store. What a kind of OAuth sends to the token endpoint is each subclass's business.
"""

from __future__ import annotations

import abc
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeGuard

import httpx
import msgspec

from connectors.errors import ConnectorError, Reauthorise, Stop
from connectors.runtime.redaction import Secret
from connectors.runtime.retry import Transient, retry_after

if TYPE_CHECKING:
    from connectors.connector import Clock, CredentialStore

_MARGIN = timedelta(seconds=60)  # a token about to expire is renewed before it fails mid-flight
_DEAD_GRANTS = frozenset({"invalid_grant", "invalid_client", "unauthorized_client", "access_denied", "invalid_token"})
# Statuses that say nothing about the credential; 200 is among them for an answer that is not JSON.
_TROUBLE = frozenset({HTTPStatus.OK, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_REDIRECTS = 3  # the hundreds of a status that redirects
_LONGEST_LIFE = timedelta(days=366)  # of a token: a vendor that says more means something else
TokenFlow = Generator[httpx.Request, httpx.Response, "Session"]


@dataclass(frozen=True, slots=True)
class Session:
    """A live access token, when it ends, and what else the token endpoint said and was asked to keep."""

    access_token: Secret
    expires_at: datetime | None = None
    extra: Mapping[str, Secret] = field(default_factory=lambda: MappingProxyType({}))

    def alive(self, now: datetime) -> bool:
        """Return whether the token may still be used at ``now``."""
        return self.expires_at is None or now < self.expires_at - _MARGIN


class TokenAuth(httpx.Auth, abc.ABC):
    """Bearer auth whose token is renewed when it ends or is refused, once per request.

    ``lifetime`` stands in where the token endpoint gives no ``expires_in``. ``keep`` names further fields of its answer
    to store and show (Salesforce's ``instance_url``).
    """

    requires_response_body = True

    def __init__(
        self,
        store: CredentialStore,
        token_url: str,
        *,
        clock: Clock,
        keep: tuple[str, ...] = (),
        lifetime: timedelta | None = None,
    ) -> None:
        self._store = store
        self._token_url = token_url
        self._clock = clock
        self._keep = keep
        self._lifetime = lifetime
        self._session: Session | None = None

    @abc.abstractmethod
    def token_request(self, fields: Mapping[str, Secret]) -> httpx.Request:
        """Build the request that turns the stored ``fields`` into a session."""

    def token_flow(self, fields: Mapping[str, Secret]) -> Generator[httpx.Request, httpx.Response, httpx.Response]:
        """Return the answer that holds the token; one request unless a kind of login needs more."""
        return (yield self.token_request(fields))

    def changed_fields(self, answer: Mapping[str, object]) -> dict[str, Secret]:
        """Return stored fields the token endpoint replaced (a rotated refresh token); none by default."""
        del answer
        return {}

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send ``request`` with a live token; when it is refused, renew and send once more."""
        session = yield from self.session_flow()
        request.headers["Authorization"] = f"Bearer {session.access_token.reveal()}"
        response = yield request
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            session = yield from self.session_flow(refused=session.access_token)
            request.headers["Authorization"] = f"Bearer {session.access_token.reveal()}"
            yield request

    def session_flow(self, refused: Secret | None = None) -> TokenFlow:
        """Return a live session other than ``refused``: from memory, from the store, or from one token request.

        The store is read again once the lock is held, because whoever held it before has probably renewed already.
        """
        if self._usable(self._session, refused):
            return self._session
        stored = self._from_fields(self._store.read())
        if not self._usable(stored, refused):
            with self._store.lock():
                fields = self._store.read()
                stored = self._from_fields(fields)
                if not self._usable(stored, refused):
                    response = yield from self.token_flow(fields)
                    stored, changed = self._accept(response, fields)
                    self._store.write(changed)  # a rotated refresh token must survive a crash before it is relied on
        self._session = stored
        return stored

    def _usable(self, session: Session | None, refused: Secret | None) -> TypeGuard[Session]:
        return session is not None and session.access_token != refused and session.alive(self._clock())

    def _from_fields(self, fields: Mapping[str, Secret]) -> Session | None:
        token = fields.get("access_token")
        if not token or any(name not in fields for name in self._keep):
            return None
        ends = fields.get("access_token_expires_at")
        expires_at = datetime.fromisoformat(ends.reveal()) if ends else None
        return Session(token, expires_at, {name: fields[name] for name in self._keep})

    def _accept(self, response: httpx.Response, fields: Mapping[str, Secret]) -> tuple[Session, dict[str, Secret]]:
        answer = read_token_answer(response)
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise Transient("malformed_page", "the token endpoint's answer holds no access token", final=Stop)
        extra = {name: Secret(str(answer[name])) for name in self._keep if answer.get(name)}
        extra = {name: fields[name] for name in self._keep if name in fields} | extra
        session = Session(Secret(token), self._expiry(answer), extra)
        ends = session.expires_at.astimezone(UTC).isoformat() if session.expires_at else ""
        changed = {"access_token": session.access_token, "access_token_expires_at": Secret(ends), **extra}
        return session, changed | self.changed_fields(answer)

    def _expiry(self, answer: Mapping[str, object]) -> datetime | None:
        try:
            seconds = float(str(answer["expires_in"]))
        except (KeyError, ValueError):
            return None if self._lifetime is None else self._clock() + self._lifetime
        return self._clock() + timedelta(seconds=max(0.0, min(seconds, _LONGEST_LIFE.total_seconds())))


def read_token_answer(response: httpx.Response) -> Mapping[str, object]:
    """Return the fields of a token endpoint's answer; raise what its refusal means.

    Trouble at the endpoint is transient and says nothing about the credential; only a structured refusal of the grant
    or the client asks for a person.
    """
    status = response.status_code
    answer = _object(response.content)
    if status == HTTPStatus.OK and answer is not None:
        return answer
    if status in _TROUBLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        code = "rate_limited" if status == HTTPStatus.TOO_MANY_REQUESTS else "vendor_unavailable"
        wait = retry_after({name.lower(): value for name, value in response.headers.items()})
        raise Transient(code, f"the token endpoint has trouble answering (HTTP {status})", status=status, wait=wait)
    raise _refusal(status, answer or {})


def _refusal(status: int, answer: Mapping[str, object]) -> ConnectorError:
    if status // 100 == _REDIRECTS:
        return Stop("redirect_refused", "the token endpoint redirects, which is never followed", status=status)
    said = answer.get("error")
    code = said if isinstance(said, str) and said.isidentifier() else ""
    if code in _DEAD_GRANTS or status == HTTPStatus.UNAUTHORIZED:
        return Reauthorise(
            code or "unauthorised", "the vendor refuses the stored credential: connect the account again", status=status
        )
    named = f": {code}" if code else ""
    message = f"the token endpoint refuses the request (HTTP {status}{named}); check the connection's settings"
    return Stop("token_request_refused", message, status=status)


def _object(content: bytes) -> Mapping[str, object] | None:
    try:
        decoded = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None
