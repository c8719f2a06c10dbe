"""SQL: the tables of a Postgres, MySQL or SQLite database."""
