"""The endpoint: GraphQL over HTTP.

Whatever a client does wrong inside GraphQL is answered with 200, as most servers do; with 400 for one that asks for
``application/graphql-response+json``, as the newer specification has it.
"""

from __future__ import annotations

from secrets import compare_digest
from typing import TYPE_CHECKING, Any

import orjson
from graphql import GraphQLError, NoSchemaIntrospectionCustomRule, execute_sync, parse, specified_rules, validate

from gtm_pipelines.sandbox.vendors.graphql.cost import Bucket, cost_of
from gtm_pipelines.sandbox.vendors.graphql.faults import GraphqlFaults
from gtm_pipelines.sandbox.vendors.graphql.resolvers import Resolvers
from gtm_pipelines.sandbox.vendors.graphql.schema import schema
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant

_NEWER = "application/graphql-response+json"


def token_of(tenant: str) -> str:
    """Return the account's token; fixed, for this is a sandbox."""
    return f"sandbox-gql-{tenant}"


def answer(tenant: Tenant, call: Call) -> Reply:
    """Answer one request below ``/<tenant>/graphql/``."""
    faults = tenant.faults_of(GraphqlFaults)
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not compare_digest(token.encode(), token_of(tenant.id).encode()) or faults.revoke_token:
        return _refused("the token is not known here", "UNAUTHENTICATED", 401)
    if call.path.rstrip("/") != "v1":
        return _refused("there is nothing here", "NOT_FOUND", 404)
    if call.method != "POST":
        return _refused("ask with POST", "METHOD_NOT_ALLOWED", 405)
    if faults.take("rate_limited_next"):
        limited = _refused("rate limit exceeded", "RATE_LIMITED", 200)
        return Reply(200, limited.body, {**limited.headers, "retry-after": "2"}, "rate_limited_next")
    if faults.take("internal_error_next"):
        return _refused("something broke", "INTERNAL_SERVER_ERROR", 200)
    return _asked(tenant, call, faults)


def _asked(tenant: Tenant, call: Call, faults: GraphqlFaults) -> Reply:
    try:
        given = orjson.loads(call.body)
        text, variables, name = given["query"], given.get("variables") or {}, given.get("operationName")
        document = parse(text)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return _refused("the body is JSON with a query", "BAD_REQUEST", 400)
    except GraphQLError as error:
        return _wrong(call, [error], "GRAPHQL_PARSE_FAILED")
    rules = [*specified_rules, *([NoSchemaIntrospectionCustomRule] if faults.no_introspection else [])]
    if errors := validate(schema(), document, rules):
        return _wrong(call, errors, "GRAPHQL_VALIDATION_FAILED")
    bucket, cost = tenant.state(Bucket), cost_of(document, variables)
    if cost > faults.most_cost:
        told = f"the query costs {cost:g} points, more than {faults.most_cost:g}"
        return _costed(told, "MAX_COST_EXCEEDED", bucket.told(cost, faults, is_paid=False))
    if not bucket.pay(cost, faults):
        return _costed("Throttled", "THROTTLED", bucket.told(cost, faults, is_paid=False))
    result = execute_sync(schema(), document, Resolvers(tenant).root(), variable_values=variables, operation_name=name)
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [each.formatted for each in result.errors]
    return _as_asked(call, {**body, "extensions": {"cost": bucket.told(cost, faults, is_paid=True)}}, 200)


def _refused(message: str, code: str, status: int) -> Reply:
    reply = as_json({"errors": [{"message": message, "extensions": {"code": code}}]}, status)
    return Reply(reply.status, reply.body, reply.headers, code)


def _costed(message: str, code: str, cost: dict[str, Any]) -> Reply:
    body = {"errors": [{"message": message, "extensions": {"code": code}}], "extensions": {"cost": cost}}
    reply = as_json(body)
    return Reply(200, reply.body, reply.headers, code)


def _wrong(call: Call, errors: list[GraphQLError], code: str) -> Reply:
    said = [{**each.formatted, "extensions": {"code": code}} for each in errors]
    return _as_asked(call, {"errors": said}, 400)


def _as_asked(call: Call, body: dict[str, Any], status: int) -> Reply:
    is_newer = _NEWER in call.headers.get("accept", "")
    reply = as_json(body, status if is_newer else 200)
    kind = f"{_NEWER}; charset=utf-8" if is_newer else reply.headers["content-type"]
    return Reply(reply.status, reply.body, {**reply.headers, "content-type": kind})
