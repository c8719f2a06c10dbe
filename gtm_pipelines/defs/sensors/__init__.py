"""What starts by itself: partitions for new tenants, first syncs, refinement, notices, freshness, and tidying up."""
