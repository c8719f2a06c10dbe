"""Client credentials at Microsoft, as its own library asks for them.

MSAL wants an HTTP client to talk through. It is given one that only plays back: the first question it has no answer to
is proposed as any other auth's request, so that it meets our gates, limits and redaction, and MSAL is asked again with
the answer at hand. It does no I/O, and keeps nothing: the token is stored as every other kind's is.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Any

import httpx

from connectors.errors import Reauthorise, Stop
from connectors.runtime.auth.oauth2 import required
from connectors.runtime.auth.tokens import TokenAuth, read_token_answer

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from connectors.connector import Clock, CredentialStore
    from connectors.runtime.redaction import Secret

_MOST_QUESTIONS = 6


class MsalClientCredentials(TokenAuth):
    """Logs an application in at ``authority`` (``https://login.microsoftonline.com/<directory>``).

    ``stands_at`` is where that authority really answers, when it is a sandbox's.
    """

    def __init__(
        self,
        store: CredentialStore,
        authority: str,
        *,
        clock: Clock,
        scope: str,
        stands_at: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(store, authority, clock=clock, **options)
        self._authority = authority.rstrip("/")
        self._stands_at = (stands_at or authority).rstrip("/")
        self._scopes = scope.split()

    def token_request(self, fields: Mapping[str, Secret]) -> httpx.Request:
        """Build MSAL's first question."""
        return next(self.token_flow(fields))

    def token_flow(self, fields: Mapping[str, Secret]) -> Generator[httpx.Request, httpx.Response, httpx.Response]:
        """Propose what MSAL asks until it has its token; return the answer that holds it."""
        answers: list[_Answer] = []
        answer = httpx.Response(204)
        while True:
            try:
                self._acquire(fields, _PlayedBack(answers))
            except _AskedError as question:
                if len(answers) >= _MOST_QUESTIONS:
                    message = f"signing in takes more than {_MOST_QUESTIONS} requests"
                    raise Stop("token_request_refused", message) from None
                answer = yield self._where_it_stands(question.request)
                read_token_answer(answer)  # a refusal or trouble is told here, before MSAL words it
                answers.append(self._as_declared(answer))
                continue
            except ValueError as error:
                message = "MSAL cannot use the authority's answer: check the directory id"
                raise Stop("token_request_refused", message) from error
            return answer

    def _acquire(self, fields: Mapping[str, Secret], played_back: _PlayedBack) -> None:
        import msal

        logging.getLogger("msal").setLevel(logging.WARNING)  # below that it tells of requests
        client = msal.ConfidentialClientApplication(
            required(fields, "client_id"),
            client_credential=required(fields, "client_secret"),
            authority=self._authority,
            http_client=played_back,
            instance_discovery=False,
        )
        result = client.acquire_token_for_client(scopes=self._scopes)
        if "access_token" not in result:
            raise Reauthorise("unauthorised", "Microsoft refuses the stored credential: connect the account again")

    def _where_it_stands(self, request: httpx.Request) -> httpx.Request:
        url = str(request.url)
        if not url.startswith(self._authority):
            return request
        moved = self._stands_at + url.removeprefix(self._authority)
        return httpx.Request(request.method, moved, headers=_own_headers(request), content=request.content)

    def _as_declared(self, answer: httpx.Response) -> _Answer:
        """Return an answer that names its endpoints where MSAL expects them: it takes https only."""
        text = answer.content.decode("utf-8", "replace").replace(self._stands_at, self._authority)
        return _Answer(answer.status_code, text, dict(answer.headers))


def _own_headers(request: httpx.Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}


class _AskedError(Exception):
    """MSAL asked something that was not answered yet."""

    def __init__(self, request: httpx.Request) -> None:
        super().__init__()
        self.request = request


@dataclasses.dataclass(frozen=True, slots=True)
class _Answer:
    """An answer in the form that MSAL reads."""

    status_code: int
    text: str
    headers: dict[str, str]

    def raise_for_status(self) -> None:
        """Do nothing: whatever was refused has been told already."""


class _PlayedBack:
    """The HTTP client MSAL is given: known answers in their order, then the next question as an exception."""

    def __init__(self, answers: list[_Answer]) -> None:
        self._answers = iter(answers)

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> _Answer:
        """Answer, or ask."""
        return self._next(httpx.Request("GET", url, params=params, headers=headers))

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> _Answer:
        """Answer, or ask."""
        return self._next(httpx.Request("POST", url, params=params, data=data, headers=headers))

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _next(self, request: httpx.Request) -> _Answer:
        known = next(self._answers, None)
        if known is None:
            raise _AskedError(request)
        return known
