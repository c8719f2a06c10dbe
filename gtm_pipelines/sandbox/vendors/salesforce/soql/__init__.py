"""SOQL: read by ``parser.py`` into ``syntax.py``'s tree, turned into DuckDB SQL by ``translator.py``."""
