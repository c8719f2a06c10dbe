-- Every row the entity's targets of one kind make of the run's records; its rowid is what faults and later steps point at.
CREATE OR REPLACE TEMP TABLE projected AS {projections}
