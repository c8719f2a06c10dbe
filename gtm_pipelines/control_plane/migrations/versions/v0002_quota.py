"""What a connection may still spend at its vendor, as last seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Give the state of a connection its quota; unknown until a sync has seen one."""
    op.add_column("sync_state", sa.Column("quota", sa.Text()))
