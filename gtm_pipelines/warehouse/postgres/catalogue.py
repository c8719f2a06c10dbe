"""Which tables the server has of a tenant, and with which columns, as they were when the session began.

Whoever runs the server may put schemas, tables, views and columns of their own beside ours. Nothing of them is looked
at until a statement names it, and none of ours does. A schema is found by the name that its layer has at the server:
what its comment says is for people to read, and a restored database may have no comments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.postgres import layout

if TYPE_CHECKING:
    from gtm_pipelines.tenancy import TenantId
    from gtm_pipelines.warehouse.postgres.store import Store
    from gtm_pipelines.warehouse.statement import Table

# A schema's tables are found by what depends on it, for which there is an index: pg_class has none by schema, and holds
# every tenant's tables.
_TABLES = """
SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum),
       array_agg(format_type(a.atttypid, NULL) ORDER BY a.attnum),
       array_agg((a.attnotnull AND NOT a.atthasdef)::text ORDER BY a.attnum)
FROM pg_namespace n
JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid AND d.classid = 'pg_class'::regclass
JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'r'
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname >= {first} AND n.nspname < {end}
GROUP BY n.nspname, c.relname
"""


class Catalogue:
    """The tables of one tenant, asked for by their layer and name."""

    def __init__(self, tenant: TenantId, store: Store) -> None:
        self._tenant = tenant
        self._stored: dict[Table, dict[str, str]] = {}
        self._required: dict[Table, set[str]] = {}
        between = {"first": names.literal(f"{tenant}__"), "end": names.literal(f"{tenant}_`")}  # ` comes after _
        for schema, table, columns, kinds, required in store.execute(_TABLES.format(**between)):
            self._stored[schema, table] = dict(zip(columns, kinds, strict=True))
            self._required[schema, table] = {
                name for name, said in zip(columns, required, strict=True) if said == "true"
            }

    def __contains__(self, table: Table) -> bool:
        """Tell whether there is such a table."""
        return self._place(table) in self._stored

    def columns(self, table: Table) -> dict[str, str]:
        """Return a table's columns with DuckDB's types, and with Postgres' own where we make no such type."""
        stored = self._stored.get(self._place(table), {})
        return {column: layout.local_type(kind) or kind for column, kind in stored.items()}

    def known(self, table: Table) -> dict[str, str]:
        """Return the columns of the types we make, with DuckDB's types.

        Of names that differ only in case, which DuckDB takes for one column, the first is meant.
        """
        stored = self._stored.get(self._place(table), {})
        kinds = {column: layout.local_type(kind) for column, kind in stored.items()}
        first = {column.lower(): column for column in reversed(kinds)}
        return {column: kind for column, kind in kinds.items() if kind and first[column.lower()] == column}

    def required(self, table: Table) -> set[str]:
        """Return the columns for which every new row must have a value."""
        return self._required.get(self._place(table), set())

    def _place(self, table: Table) -> Table:
        return names.tenant_schema(self._tenant, table[0]), table[1]
