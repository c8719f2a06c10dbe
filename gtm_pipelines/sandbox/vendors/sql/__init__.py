"""A customer's own database: the world writes itself into SQLite, or into whatever a test hands it."""
