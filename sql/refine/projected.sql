-- Every row that the entity's targets of one kind make of the chunk's records; faults and later steps point at its rowid.
-- Reads raw_batch. Makes projected.
CREATE OR REPLACE TEMP TABLE projected AS {projections}
