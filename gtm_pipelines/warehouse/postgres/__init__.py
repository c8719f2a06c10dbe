"""A tenant's warehouse on Postgres: DuckDB computes, Postgres stores and serves."""
