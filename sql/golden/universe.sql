-- match_universe: all owners of the looked-at keys, those of hubs included, for the limits of the rules.
CREATE OR REPLACE TEMP TABLE match_universe AS
SELECT k.rule, k.value, k.qualifier FROM golden.KIND_key k SEMI JOIN match_key m USING (rule, value);
