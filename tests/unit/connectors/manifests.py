"""A complete descriptor to start tests from."""

ACME = """\
id: acme
name: Acme
description: People and notes of an Acme workspace.
category: crm
version: 1.0.0
kind: generic
allowed_hosts: [api.acme.com, "*.eu.acme.com"]
auth:
  type: api_key
  delivery: {place: header, name: X-Api-Key, field: api_key}
  fields:
    - {name: api_key, label: API key, help: "Acme, Settings, API"}
settings:
  - {name: workspace, label: Workspace, required: true}
ingestion:
  base_url: https://api.acme.com/v1
  pagination: {type: cursor, token_path: next, param: start, page_size: 200, page_size_param: limit}
entities:
  - name: people
    description: People of the workspace.
    endpoint: {path: "/workspaces/{{settings.workspace}}/people"}
    items: data
    key: id
    timestamp: updated_at
    cursor: updated_at
    lag: 10m
    settle: 5m
    deleted: archived
    delta: {type: timestamp_filter, param: updated_since}
    delete_detection: full_diff
    fields:
      - {source: email, label: Email}
      - {source: shoe_size, type: integer}
  - name: notes
    description: Notes on people.
    parent: {entity: people, values: {person: id}, scope_key: person}
    endpoint: {path: "/people/{{parent.person}}/notes"}
    pagination: {type: none}
    items: notes
    key: id
errors:
  - {status: 400, code: cursor_expired, then: resync, reason: cursor_expired}
health_check: {path: /me}
"""
