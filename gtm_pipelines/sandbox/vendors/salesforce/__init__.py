"""Salesforce: OAuth, SOQL over REST, describe, delete log, limits."""
