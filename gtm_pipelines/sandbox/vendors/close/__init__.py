"""Close's API: leads, contacts, deals and activities, advanced search, and the event log."""
