"""Microsoft 365: the directory, calendars and who wrote to whom, through Graph."""
