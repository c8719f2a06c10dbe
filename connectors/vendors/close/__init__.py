"""Close, described in connector.yml."""
