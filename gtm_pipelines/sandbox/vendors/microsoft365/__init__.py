"""Microsoft 365 as Graph shows it: a directory, its calendars and its mail."""
