-- match_home_before: what was looked up. Everything is to be looked up again.
CREATE OR REPLACE TEMP TABLE match_home_before AS FROM match_home;
CREATE OR REPLACE TEMP TABLE match_sought AS FROM match_site;
TRUNCATE match_home;
