"""What may be switched on to go wrong at Customer.io, beside what any vendor may suffer."""

from __future__ import annotations

from pydantic import Field

from gtm_pipelines.sandbox.faults import Faults


class CustomerioFaults(Faults):
    """What only Customer.io does."""

    requests_per_second: float = Field(10, gt=0, description="the workspace's limit")
    revoke_key: bool = Field(default=False, description="401 for the App API key")
    forbid_path: list[str] = Field(default_factory=list, description="first path segments that answer 403")
    forget_people: bool = Field(default=False, description="deliveries are marked forgotten")
