"""Customer.io's App API over a world: the vendor's paths, envelopes and oddities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant


def answer(tenant: Tenant, call: Call) -> Reply:
    """Answer one request below ``/<tenant>/customerio/``."""
    del tenant, call
    return as_json({"errors": [{"detail": "not found", "status": "404"}]}, 404)
