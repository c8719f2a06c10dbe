-- The rules of one kind, laid out whenever everything is looked at, as it is when the policy is another one.
CREATE OR REPLACE TABLE golden.KIND_rule (
    number INTEGER NOT NULL, rule VARCHAR NOT NULL, level INTEGER NOT NULL, confidence DOUBLE NOT NULL,
    max_owners BIGINT NOT NULL, max_qualifiers BIGINT NOT NULL, agree BOOLEAN NOT NULL, meaning VARCHAR NOT NULL,
    loosens VARCHAR NOT NULL
);
