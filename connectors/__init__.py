"""Everything known about vendors: how each one is asked, paged, limited and misbehaves.

Nothing here knows a tenant, a warehouse, Dagster or the canonical model; what a vendor's fields *mean* to us is data
(``vendors/<vendor>/mapping.yml``) that :mod:`quality` reads.
"""
