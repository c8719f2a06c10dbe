"""HubSpot: the CRM read by list, search and batch."""
