"""GraphQL: any API of that kind, read by the queries a connection brings along."""
