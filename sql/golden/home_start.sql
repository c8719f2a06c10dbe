-- match_site: the mail domains looked up so far. match_domain: the golden accounts they belong to.
CREATE OR REPLACE TEMP TABLE match_site (domain VARCHAR);
CREATE OR REPLACE TEMP TABLE match_domain (domain VARCHAR, account_id VARCHAR);
