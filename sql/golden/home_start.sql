-- match_site: the mail domains and company names looked up so far, as values of the accounts' rules. match_home: the golden
-- accounts they lead to.
CREATE OR REPLACE TEMP TABLE match_site (rule VARCHAR, value VARCHAR);
CREATE OR REPLACE TEMP TABLE match_home (rule VARCHAR, value VARCHAR, account_id VARCHAR);
