-- The world's own tables; a vendor's are in its own folder.
CREATE TABLE gen.world (seed BIGINT, size BIGINT, people BIGINT, companies BIGINT, users BIGINT, step INTEGER, now_s BIGINT);
CREATE TABLE gen.first_name (i BIGINT, name VARCHAR, nickname VARCHAR);
CREATE TABLE gen.last_name (i BIGINT, name VARCHAR);
CREATE TABLE gen.company_first (i BIGINT, word VARCHAR);
CREATE TABLE gen.company_second (i BIGINT, word VARCHAR);
CREATE TABLE gen.trade (i BIGINT, word VARCHAR, industry VARCHAR);
CREATE TABLE gen.title (i BIGINT, title VARCHAR);
CREATE TABLE gen.city (i BIGINT, city VARCHAR, country VARCHAR);
CREATE TABLE gen.area_code (i BIGINT, code VARCHAR);
CREATE TABLE gen.free_mail (i BIGINT, domain VARCHAR);

-- Who there really is. A person without a company works for herself.
CREATE TABLE truth.company (
    n BIGINT, name VARCHAR, domain VARCHAR, industry VARCHAR, employees BIGINT, revenue DOUBLE,
    city VARCHAR, country VARCHAR, switchboard VARCHAR, born_s BIGINT
);
CREATE TABLE truth.person (
    n BIGINT, first_name VARCHAR, nickname VARCHAR, last_name VARCHAR, title VARCHAR,
    company BIGINT, email VARCHAR, email_base VARCHAR, personal_email VARCHAR, phone VARCHAR, mobile VARCHAR,
    previous_company BIGINT, previous_email VARCHAR, born_s BIGINT, altered_s BIGINT
);
-- The vendors that know this world.
CREATE TABLE gen.vendor (id VARCHAR);
