-- gen: how the world is made. truth: who there is. One more for each vendor.
CREATE SCHEMA gen;
CREATE SCHEMA truth;
CREATE SCHEMA salesforce;
CREATE SCHEMA customerio;
CREATE SCHEMA file;
