"""A company's own GraphQL API, as the sandbox has it: people, companies and activities behind one endpoint."""
