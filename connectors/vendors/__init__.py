"""One folder per vendor: connector.yml, mapping.yml, icon.svg, README.md, and source.py only where YAML does not reach.

:mod:`connectors.registry` finds a folder by itself; vendors never import each other. See docs/connectors.md.
"""
