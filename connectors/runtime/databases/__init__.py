"""Databases as a source: opened through the gate, read only, streamed as Arrow. The one place here that knows SQL.

dlt's ``sql_database`` does the streaming (its TableLoader with the pyarrow backend); SQLAlchemy writes the statements.
Which tables a connection reads, and what they mean, is the sql connector's.
"""

from connectors.runtime.databases.opening import Database, open_database
from connectors.runtime.databases.tables import KEY_MEMBER, Position, Table

__all__ = ["KEY_MEMBER", "Database", "Position", "Table", "open_database"]
