"""The generic engine: runs a vendor that is only described, never coded.

A descriptor (``vendors/<id>/connector.yml`` with ``kind: generic``) is complete by itself::

    id: acme
    name: Acme
    description: People and deals of an Acme workspace.
    category: crm
    version: 1.0.0
    kind: generic
    allowed_hosts: [api.acme.com]
    auth:
      type: api_key
      delivery: {place: header, name: X-Api-Key, field: api_key}  # or bearer, query, basic, oauth2
      fields:
        - {name: api_key, label: API key, help: "Acme, Settings, API"}
    settings:
      - {name: workspace, label: Workspace, required: true}
    rate_limit: {requests: 10, per: 1s}
    ingestion:
      base_url: https://api.acme.com/v1        # a connection's setting of the same name may name another allowed host
      pagination: {type: cursor, token_path: next, param: start, page_size: 200, page_size_param: limit}
    entities:
      - name: people
        description: People of the workspace.
        endpoint: {path: "/workspaces/{{settings.workspace}}/people"}
        items: data                            # the list of records; "$" when the answer is the list
        key: id
        timestamp: updated_at
        cursor: updated_at
        lag: 10m                               # read again this far behind the watermark: vendors show rows late
        settle: 5m
        delta: {type: timestamp_filter, param: updated_since}
        delete_detection: full_diff
      - name: notes
        description: Notes on people.
        parent: {entity: people, values: {person: id}}
        endpoint: {path: "/people/{{parent.person}}/notes"}
        items: notes
        key: id
    errors:
      - {status: 400, code: cursor_expired, then: resync, reason: cursor_expired}
    health_check: {path: /me}

Placeholders: ``{{settings.x}}``, ``{{lookup.x}}``, ``{{parent.x}}`` (fan-out), ``{{page.size}}``, and of the delta
``{{delta.since}}``, ``{{delta.until}}``, ``{{delta.since_id}}``, ``{{delta.token}}``; in places of their own
``{{tie.at}}``, ``{{tie.until}}``, ``{{tie.after_id}}`` and ``{{event.object_id}}``. A query, header or body value
without a value is left out. Paths are names, ``[0]`` and ``[*]``. ``reread: 30d`` reads old records again that still
change. A POST that reads puts its ``body`` under ``endpoint``, and ``pagination.body_path`` says where the page token
goes in it. What else the language has (windows, searches that are restarted, second passes, event logs, deletes told
elsewhere, scopes, sweeps, quotas) is shown in docs/connectors.md.

Modules. The language: ``strict_yaml`` (the file), ``words``, ``pages``, ``changes``, ``model`` (its sections),
``consistency`` (what only the whole shows), ``template`` (placeholders), ``times`` (moments in filters). The reading:
``engine`` (the connector), ``account`` (requests), ``walks`` (pages), ``reading`` (one entity, first page to last),
``timeline``, ``spans`` and ``searches`` (changes by time), ``tokens``, ``events`` (by token, by event log), ``fanout``
(per parent), ``gone`` (deletes), ``parts`` (what the readers hand on). Beside it: ``sessions`` (auth), ``verdicts``
(errors), ``allowance`` (quota), ``catalogue`` (fields). When a vendor needs an ``if``, it gets a ``source.py`` on
:mod:`connectors.runtime` instead.
"""
