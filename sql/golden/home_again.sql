-- match_domain_before: what was looked up. Everything is to be looked up again.
CREATE OR REPLACE TEMP TABLE match_domain_before AS FROM match_domain;
CREATE OR REPLACE TEMP TABLE match_sought AS FROM match_site;
TRUNCATE match_domain;
