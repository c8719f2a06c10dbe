"""Alembic's entry point: migrates over the connection it is handed, or prints SQL for the URL it is given."""

from __future__ import annotations

from alembic import context

from gtm_pipelines.control_plane.schema import metadata

_connection = context.config.attributes.get("connection")

if _connection is not None:
    context.configure(connection=_connection, target_metadata=metadata)
else:
    context.configure(
        url=context.config.get_main_option("sqlalchemy.url"), target_metadata=metadata, literal_binds=True
    )

with context.begin_transaction():
    context.run_migrations()
