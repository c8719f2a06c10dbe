-- Exports somebody keeps in spreadsheets: the same people and companies once more, typed by hand. Views: nothing is stored.
CREATE VIEW file.people AS
SELECT
    lpad((p.n * 3 + 17)::VARCHAR, 7, '0') AS id,
    CASE WHEN gen.chance(p.n, 'file personal', 0.2) THEN p.personal_email ELSE gen.written_email(p.email, p.n, 'file', 0.01) END AS email,
    gen.written_name(p.first_name, p.nickname, p.n, 'file first', 0.15) AS first_name,
    CASE WHEN gen.chance(p.n, 'file blanks', 0.03) THEN concat('  ', p.last_name, ' ') ELSE p.last_name END AS last_name,
    p.title,
    CASE WHEN gen.chance(p.n, 'file phone', 0.4) THEN gen.written_phone(p.phone, gen.pick(p.n, 'file phone style', 7)) END AS phone,
    c.name AS company, lpad(c.n::VARCHAR, 6, '0') AS account_id,
    gen.moment(least(p.altered_s + gen.pick(p.n, 'file row', 86400), w.now_s)) AS updated_at,
    p.n AS _person, p.company AS _company
FROM truth.person p
CROSS JOIN gen.world w
LEFT JOIN truth.company c ON c.n = p.company AND gen.chance(c.n, 'file account', 0.6)
WHERE gen.chance(p.n, 'file', 0.35)
  AND gen.pick(p.n, 'struck off', 400) >= least(w.step, 100);  -- somebody tidies the list: one row in 400 goes every day

CREATE VIEW file.accounts AS
SELECT
    lpad(c.n::VARCHAR, 6, '0') AS id,
    CASE WHEN gen.chance(c.n, 'file legal form', 0.3) THEN concat(c.name, ', Inc.') ELSE c.name END AS name,
    CASE WHEN gen.chance(c.n, 'file website', 0.85) THEN concat('https://', c.domain) END AS website,
    c.industry, c.employees, c.revenue, gen.moment(c.born_s) AS updated_at, c.n AS _company
FROM truth.company c
WHERE gen.chance(c.n, 'file account', 0.6);

CREATE VIEW file.activities AS
SELECT
    concat('fair-', p.id) AS id, 'attended' AS type, 'event' AS channel, p.updated_at AS occurred_at,
    p.id AS person_id, p.account_id, 'Trade fair, hall "7"' AS subject, p._person, p._company
FROM file.people p
WHERE gen.chance(p._person, 'attended', 0.4);
