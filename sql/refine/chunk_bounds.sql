-- Cuts the rows that are due into chunks of neighbouring rows, so that no step holds more than one in memory.
-- Reads the raw table. Gives the first and last rowid of each chunk.
SELECT min(place), max(place)
FROM (
  SELECT rowid AS place, (row_number() OVER (ORDER BY rowid) - 1) // {size} AS run
  FROM {raw}
  WHERE {due}
)
GROUP BY run
ORDER BY 1
