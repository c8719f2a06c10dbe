-- Every row the entity's targets of one kind make of the run's records, numbered so that faults can point at them.
CREATE OR REPLACE TEMP TABLE projected AS
SELECT row_number() OVER () AS _n, * FROM ({projections})
