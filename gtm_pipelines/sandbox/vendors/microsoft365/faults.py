"""What may be switched on to go wrong at Microsoft 365, beside what any vendor may suffer."""

from __future__ import annotations

from pydantic import Field

from gtm_pipelines.sandbox.faults import Faults


class Microsoft365Faults(Faults):
    """What only Microsoft 365 does. Mailboxes are named by an address, a user principal name or an id."""

    revoke_secret: bool = Field(default=False, description="AADSTS7000215 for the client secret")
    token_error_next: int = Field(0, ge=0, description="503 from the token endpoint")
    expire_tokens_next: int = Field(0, ge=0, description="so many requests find every access token expired")
    expire_delta: list[str] = Field(
        default_factory=list,
        description="mailboxes whose next delta token answers 410, once each; 'users' the directory",
    )
    replay_next: int = Field(0, ge=0, description="so many delta rounds repeat what the round before them told")
    empty_round_start: int = Field(0, ge=0, description="so many rounds begin with an empty page that has a nextLink")
    filtered_mails_most: int = Field(
        5000, ge=1, description="a round over a folder's mails that is filtered tells of so many, and ends as if whole"
    )
    forbid_mailbox: list[str] = Field(default_factory=list, description="mailboxes that answer 403 ErrorAccessDenied")
    unlicense_mailbox: list[str] = Field(
        default_factory=list, description="mailboxes that answer 404 MailboxNotEnabledForRESTAPI"
    )
