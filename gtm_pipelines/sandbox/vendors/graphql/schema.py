"""The schema of the API, and its scalar for moments. What a field answers is resolvers.py's."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from graphql import GraphQLError, GraphQLSchema, StringValueNode, ValueNode, build_schema

_SDL = '''
"""A moment, ISO 8601 with its zone."""
scalar DateTime

type PageInfo { hasNextPage: Boolean!  hasPreviousPage: Boolean!  startCursor: String  endCursor: String }

type Person {
  id: ID!  email: String  firstName: String  lastName: String  jobTitle: String  phone: String  companyId: ID
  company: Company  createdAt: DateTime!  updatedAt: DateTime!  deletedAt: DateTime
}
type PersonEdge { cursor: String!  node: Person! }
type PersonConnection { edges: [PersonEdge!]!  nodes: [Person!]!  pageInfo: PageInfo!  totalCount: Int! }
type PersonList { items: [Person!]!  totalCount: Int! }

type Company {
  id: ID!  name: String  website: String  industry: String  employees: Int  revenue: Float
  createdAt: DateTime!  updatedAt: DateTime!
  people(first: Int = 10, after: String): PersonConnection!
}
type CompanyEdge { cursor: String!  node: Company! }
type CompanyConnection { edges: [CompanyEdge!]!  nodes: [Company!]!  pageInfo: PageInfo!  totalCount: Int! }
type CompanyList { items: [Company!]!  totalCount: Int! }

type Activity {
  id: ID!  kind: String!  channel: String  subject: String  occurredAt: DateTime!  updatedAt: DateTime!
  person: Person  companyId: ID
}
type ActivityEdge { cursor: String!  node: Activity! }
type ActivityConnection { edges: [ActivityEdge!]!  nodes: [Activity!]!  pageInfo: PageInfo!  totalCount: Int! }
type ActivityList { items: [Activity!]!  totalCount: Int! }

type Query {
  people(
    first: Int!, after: String, updatedSince: DateTime, updatedUntil: DateTime, includeDeleted: Boolean = false
  ): PersonConnection!
  peopleList(
    limit: Int!, offset: Int = 0, updatedSince: DateTime, updatedUntil: DateTime, includeDeleted: Boolean = false
  ): PersonList!
  companies(first: Int!, after: String, updatedSince: DateTime, updatedUntil: DateTime): CompanyConnection!
  companyList(limit: Int!, offset: Int = 0, updatedSince: DateTime, updatedUntil: DateTime): CompanyList!
  activities(first: Int!, after: String, updatedSince: DateTime, updatedUntil: DateTime): ActivityConnection!
  activityList(limit: Int!, offset: Int = 0, updatedSince: DateTime, updatedUntil: DateTime): ActivityList!
}
'''


@cache
def schema() -> GraphQLSchema:
    """Return the schema."""
    built = build_schema(_SDL)
    moment = built.type_map["DateTime"]
    vars(moment).update(parse_value=_moment, parse_literal=_literal)  # an SDL cannot say what its scalar means
    return built


def _moment(value: Any) -> datetime:
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise GraphQLError("a DateTime is ISO 8601 text with a zone") from None
    if parsed.tzinfo is None:
        raise GraphQLError("a DateTime has a zone")
    return parsed.astimezone(UTC).replace(tzinfo=None)


def _literal(node: ValueNode, _: Any = None) -> datetime:
    return _moment(node.value if isinstance(node, StringValueNode) else None)
