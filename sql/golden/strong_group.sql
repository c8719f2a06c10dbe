-- match_strong: the groups that strong rules alone make, each named after its smallest node; match_group starts from them.
CREATE OR REPLACE TEMP TABLE match_strong AS
SELECT n.node, coalesce(l.label, n.node) AS strong FROM match_record n LEFT JOIN match_label l ON l.id = n.node;

CREATE OR REPLACE TEMP TABLE match_group AS SELECT DISTINCT strong, strong AS current FROM match_strong;

CREATE OR REPLACE TEMP TABLE match_step (level INTEGER, strong BIGINT, current BIGINT);
