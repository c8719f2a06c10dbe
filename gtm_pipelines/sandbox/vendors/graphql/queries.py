"""The queries a customer of this API would give to the graphql connector: one of each kind of paging."""

from __future__ import annotations

QUERIES = """\
people:
  query: |
    query People($first: Int!, $after: String, $since: DateTime, $until: DateTime) {
      people(first: $first, after: $after, updatedSince: $since, updatedUntil: $until, includeDeleted: true) {
        nodes { id email firstName lastName jobTitle phone companyId createdAt updatedAt deletedAt }
        pageInfo { hasNextPage endCursor }
      }
    }
  items: data.people.nodes
  timestamp: updatedAt
  deleted: deletedAt
  deletes: both
  ordered: true
  paging: {kind: relay, size: 100}
  since: since
  until: until
  lag: 10m
  settle: 1m
accounts:
  query: |
    query Companies($limit: Int!, $offset: Int!) {
      companyList(limit: $limit, offset: $offset) {
        totalCount
        items { id name website industry employees revenue updatedAt }
      }
    }
  items: data.companyList.items
  timestamp: updatedAt
  deletes: full_diff
  paging: {kind: offset, size: 100, total: data.companyList.totalCount}
activities:
  query: |
    query Activities($first: Int!, $after: String, $since: DateTime) {
      activities(first: $first, after: $after, updatedSince: $since) {
        edges { cursor node { id kind channel subject occurredAt updatedAt person { id } companyId } }
        pageInfo { hasNextPage endCursor }
      }
    }
  items: data.activities.edges[*].node
  timestamp: updatedAt
  ordered: true
  paging: {kind: relay, size: 100}
  since: since
  lag: 10m
  settle: 1m
"""
