-- gen: how the world is made. truth: who there is. Each vendor's tables are in a schema of its own.
CREATE SCHEMA gen;
CREATE SCHEMA truth;
