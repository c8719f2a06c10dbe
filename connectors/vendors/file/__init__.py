"""A user's own exports as a source: csv, jsonl and parquet files of a folder."""
