-- The records of one chunk. A record without payload is a tombstone: there is nothing to project, only something to delete.
-- Tombstones are found by a filter, which reads no payload; payload IS NULL as a value would read them all.
-- Reads the raw table. Makes chunk: one row per record, and the view raw_batch: those with a payload.
CREATE OR REPLACE TEMP TABLE chunk AS
SELECT external_id AS record_id, is_deleted, synced_at,
  rowid IN (SELECT rowid FROM {raw} WHERE rowid BETWEEN {first} AND {last} AND payload IS NULL) AS is_tombstone
FROM {raw}
WHERE rowid BETWEEN {first} AND {last} AND ({due});

CREATE OR REPLACE TEMP VIEW raw_batch AS
SELECT external_id, source_updated_at, is_deleted, payload
FROM {raw}
WHERE rowid BETWEEN {first} AND {last} AND ({due}) AND payload IS NOT NULL;
