"""Salesforce: the CRM read over REST and SOQL."""
