"""A company's own GraphQL API as the sandbox knows it."""

from __future__ import annotations

from gtm_pipelines.sandbox.vendor import Account, Vendor
from gtm_pipelines.sandbox.vendors.graphql import api
from gtm_pipelines.sandbox.vendors.graphql.faults import GraphqlFaults
from gtm_pipelines.sandbox.vendors.graphql.queries import QUERIES


def account(url: str, tenant: str) -> Account:
    """Return the endpoint, the queries a customer would write for it, and its token."""
    settings = {"endpoint": f"{url}/{tenant}/graphql/v1", "auth": "bearer", "queries": QUERIES}
    return Account(settings, {"token": api.token_of(tenant)})


VENDOR = Vendor(
    id="graphql",
    answer=api.answer,
    account=account,
    faults=GraphqlFaults,
    busy=b'{"errors":[{"message":"Too many requests","extensions":{"code":"RATE_LIMITED"}}]}',
    down=b'{"errors":[{"message":"Internal error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}',
    counted={
        "users": "graphql.person",
        "workspaces": "graphql.company",
        "user_activities": "graphql.activity",
    },
)
