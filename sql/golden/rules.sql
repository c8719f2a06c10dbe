-- The rules of one kind, laid out afresh by every resolution so that they are always those in force.
CREATE OR REPLACE TABLE golden.KIND_rule (
    number INTEGER NOT NULL, rule VARCHAR NOT NULL, level INTEGER NOT NULL, confidence DOUBLE NOT NULL,
    max_owners BIGINT NOT NULL, max_qualifiers BIGINT NOT NULL, agree BOOLEAN NOT NULL, meaning VARCHAR NOT NULL
);
