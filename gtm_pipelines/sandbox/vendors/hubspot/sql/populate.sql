-- What HubSpot makes of companies [company_lo, company_hi) and people [person_lo, person_hi).
-- A record's serial is four times the number of what it stands for plus which copy of it this is.
INSERT INTO hubspot.companies BY NAME
WITH seen AS (
    SELECT c.*, copies.copy, c.n * 4 + copies.copy AS serial,
        gen.between_s(c.n * 4 + copies.copy, 'hs company made', c.born_s, getvariable('until_s')) AS created_s
    FROM truth.company c, (VALUES (0), (1)) copies(copy)
    WHERE c.n >= getvariable('company_lo') AND c.n < getvariable('company_hi') AND gen.chance(c.n, 'hs company', 0.9)
      AND (copy = 0 OR gen.chance(c.n, 'hs company twice', 0.08))
)
SELECT
    9000000001 + serial AS id, hubspot.ms(created_s, serial) AS created_ms,
    greatest(hubspot.ms(created_s, serial),
        hubspot.ms(gen.between_s(serial, 'hs company changed', created_s, getvariable('until_s')), serial + 1)) AS modified_ms,
    CASE gen.pick(serial, 'hs legal form', 6)
        WHEN 0 THEN concat(name, ', Inc.') WHEN 1 THEN concat(name, ' Ltd') WHEN 2 THEN lower(name) ELSE name END AS name,
    CASE WHEN copy = 0 AND gen.chance(serial, 'hs domain', 0.93) THEN domain END AS domain,
    CASE gen.pick(serial, 'hs website', 4) WHEN 0 THEN NULL WHEN 1 THEN concat('https://www.', domain) ELSE concat('www.', domain) END AS website,
    upper(regexp_replace(industry, '[^A-Za-z]+', '_', 'g')) AS industry,
    CASE WHEN gen.chance(serial, 'hs headcount', 0.8) THEN employees::VARCHAR ELSE '' END AS numberofemployees,
    CASE WHEN gen.chance(serial, 'hs revenue', 0.6) THEN revenue::BIGINT::VARCHAR END AS annualrevenue,
    gen.written_phone(switchboard, gen.pick(serial, 'hs phone style', 7)) AS phone, city, country,
    ['lead', 'opportunity', 'customer'][1 + gen.pick(serial, 'hs company stage', 3)] AS lifecyclestage,
    hubspot.owner_of(serial, 'hs company owner') AS hubspot_owner_id, '0' AS num_associated_contacts,
    n AS _company
FROM seen
ORDER BY id;

INSERT INTO hubspot.contacts BY NAME
WITH seen AS (
    SELECT p.*, copies.copy, p.n * 4 + copies.copy AS serial,
        p.previous_company IS NOT NULL AND gen.chance(p.n, 'hs is stale', 0.4) AS is_stale,
        gen.between_s(p.n * 4 + copies.copy, 'hs contact made', p.born_s, getvariable('until_s')) AS created_s
    FROM truth.person p, (VALUES (0), (1)) copies(copy)
    WHERE p.n >= getvariable('person_lo') AND p.n < getvariable('person_hi') AND gen.chance(p.n, 'hs contact', 0.65)
      AND (copy = 0 OR gen.chance(p.n, 'hs contact twice', 0.06))
), placed AS (
    SELECT seen.*, CASE WHEN is_stale THEN previous_company ELSE company END AS seen_company,
        gen.chance(serial, 'hs mass update', 0.2) AND created_s < getvariable('mass_update_s') AS was_mass_updated
    FROM seen
)
SELECT
    1000001 + serial AS id, hubspot.ms(created_s, serial) AS created_ms,
    CASE WHEN was_mass_updated THEN getvariable('mass_update_s')::BIGINT * 1000 + 123
        ELSE greatest(hubspot.ms(created_s, serial),
            hubspot.ms(gen.between_s(serial, 'hs contact changed', created_s, getvariable('until_s')), serial + 1)) END AS modified_ms,
    CASE
        WHEN copy = 1 THEN CASE WHEN gen.chance(serial, 'hs personal', 0.6) THEN lower(personal_email) END
        WHEN gen.chance(serial, 'hs no email', 0.04) THEN NULL
        WHEN is_stale THEN lower(previous_email)
        ELSE lower(gen.written_email(email, serial, 'hs email', 0.02)) END AS email,
    CASE WHEN NOT gen.chance(serial, 'hs no first name', 0.03) THEN gen.written_name(first_name, nickname, serial, 'hs first', 0.15) END AS firstname,
    gen.written_name(last_name, last_name, serial, 'hs last', 0) AS lastname,
    CASE WHEN gen.chance(serial, 'hs title', 0.7) THEN title ELSE '' END AS jobtitle,
    CASE WHEN gen.chance(serial, 'hs phone', 0.4) THEN gen.written_phone(placed.phone, gen.pick(serial, 'hs phone style', 7)) END AS phone,
    CASE WHEN gen.chance(serial, 'hs mobile', 0.25) THEN gen.written_phone(mobile, gen.pick(serial, 'hs mobile style', 7)) END AS mobilephone,
    CASE WHEN gen.chance(serial, 'hs company text', 0.5) THEN c.name END AS company, c.city, c.country,
    ['subscriber', 'lead', 'opportunity', 'customer'][1 + gen.pick(serial, 'hs stage', 4)] AS lifecyclestage,
    [NULL, 'NEW', 'OPEN', 'CONNECTED'][1 + gen.pick(serial, 'hs lead status', 4)] AS hs_lead_status,
    hubspot.owner_of(serial, 'hs owner') AS hubspot_owner_id,
    CASE WHEN seen_company IS NOT NULL AND gen.chance(seen_company, 'hs company', 0.9) AND gen.chance(serial, 'hs at company', 0.9)
        THEN (9000000001 + seen_company * 4)::VARCHAR END AS associatedcompanyid,
    gen.chance(serial, 'hs opted out', 0.05)::VARCHAR AS hs_email_optout, '0' AS num_associated_deals,
    CASE WHEN copy = 0 AND gen.chance(placed.n, 'customerio', 0.6) AND gen.chance(placed.n, 'hs linked', 0.2)
        THEN printf('d9c1%08x', placed.n * 4) END AS customerio_id,
    placed.n AS _person, seen_company AS _company
FROM placed
LEFT JOIN truth.company c ON c.n = seen_company
ORDER BY id;

-- A contact's primary company; one in twenty-five works for a second one. A company that was merged is no longer there.
UPDATE hubspot.contacts SET associatedcompanyid = NULL
WHERE _person >= getvariable('person_lo') AND _person < getvariable('person_hi')
  AND associatedcompanyid::BIGINT NOT IN (SELECT id FROM hubspot.companies);
INSERT INTO hubspot.association
SELECT 'contacts', p.id, 'companies', c.id, true
FROM hubspot.contacts p JOIN hubspot.companies c ON c.id = p.associatedcompanyid::BIGINT
WHERE p._person >= getvariable('person_lo') AND p._person < getvariable('person_hi');
INSERT INTO hubspot.association
SELECT 'contacts', p.id, 'companies', c.id, false
FROM hubspot.contacts p JOIN hubspot.companies c ON c.id = 9000000001 + 4 * gen.pick(p.id, 'hs second company', getvariable('company_hi'))
WHERE p._person >= getvariable('person_lo') AND p._person < getvariable('person_hi') AND gen.chance(p.id, 'hs second', 0.04)
  AND c.id::VARCHAR IS DISTINCT FROM p.associatedcompanyid;

INSERT INTO hubspot.deals BY NAME
WITH seen AS (
    SELECT c.*, (c.id - 9000000001) * 4 + deal.i AS serial, deal.i,
        gen.between_s((c.id - 9000000001) * 4 + deal.i, 'hs deal made', c.created_ms // 1000, getvariable('until_s')) AS created_s,
        gen.pick((c.id - 9000000001) * 4 + deal.i, 'hs deal stage', 6) AS stage
    FROM hubspot.companies c, range(0, 3) deal(i)
    WHERE c._company >= getvariable('company_lo') AND c._company < getvariable('company_hi')
      AND gen.chance((c.id - 9000000001) * 4 + deal.i, 'hs deal', 0.3)
)
SELECT
    12000000001 + serial AS id, hubspot.ms(created_s, serial) AS created_ms,
    greatest(hubspot.ms(created_s, serial),
        hubspot.ms(gen.between_s(serial, 'hs deal changed', created_s, getvariable('until_s')), serial + 1)) AS modified_ms,
    concat(name, ' - ', ['New', 'Expansion', 'Renewal'][1 + gen.pick(serial, 'hs deal kind', 3)]) AS dealname,
    ['appointmentscheduled', 'qualifiedtobuy', 'presentationscheduled', 'contractsent', 'closedwon', 'closedlost'][1 + stage] AS dealstage,
    'default' AS pipeline, CASE WHEN gen.chance(serial, 'hs amount', 0.9) THEN round(1500 + 80000 * pow(gen.share(serial, 'hs sum'), 2), 2)::VARCHAR ELSE '' END AS amount,
    (created_s + 86400 * (20 + gen.pick(serial, 'hs close', 120))) * 1000 AS closedate,
    ['newbusiness', 'existingbusiness'][1 + gen.pick(serial, 'hs deal type', 2)] AS dealtype,
    hubspot.owner_of(serial, 'hs deal owner') AS hubspot_owner_id,
    (stage >= 4)::VARCHAR AS hs_is_closed, (stage = 4)::VARCHAR AS hs_is_closed_won, _company
FROM seen
ORDER BY id;

INSERT INTO hubspot.association
SELECT 'deals', d.id, 'companies', 9000000001 + (d.id - 12000000001) // 4, true FROM hubspot.deals d
WHERE d._company >= getvariable('company_lo') AND d._company < getvariable('company_hi');
INSERT INTO hubspot.association
WITH ranked AS (
    SELECT to_id AS company, from_id AS contact, row_number() OVER (PARTITION BY to_id ORDER BY from_id) - 1 AS place
    FROM hubspot.association WHERE from_type = 'contacts' AND to_type = 'companies'
)
SELECT 'deals', d.id, 'contacts', r.contact, false
FROM hubspot.deals d JOIN ranked r ON r.company = 9000000001 + (d.id - 12000000001) // 4 AND r.place = (d.id - 12000000001) % 4
WHERE d._company >= getvariable('company_lo') AND d._company < getvariable('company_hi');

-- What was done with the contacts of people [person_lo, person_hi): up to three of each kind.
CREATE OR REPLACE TEMP TABLE done AS
SELECT kind.name AS kind, p.id AS contact, p.associatedcompanyid::BIGINT AS company, p._person, p._company, p.email,
    (p.id - 1000001) * 4 + times.i AS serial, kind.base + (p.id - 1000001) * 4 + times.i AS id,
    gen.between_s((p.id - 1000001) * 4 + times.i, concat('hs ', kind.name, ' made'), p.created_ms // 1000, getvariable('until_s')) AS at_s
FROM hubspot.contacts p, range(0, 3) times(i),
    (VALUES ('calls', 30000000001, 0.12), ('emails', 40000000001, 0.2), ('meetings', 50000000001, 0.06), ('notes', 60000000001, 0.08),
        ('tasks', 70000000001, 0.09)) kind(name, base, rate)
WHERE p._person >= getvariable('person_lo') AND p._person < getvariable('person_hi') AND NOT p.archived
  AND gen.chance((p.id - 1000001) * 4 + times.i, concat('hs ', kind.name), kind.rate);

INSERT INTO hubspot.calls BY NAME
SELECT id, hubspot.ms(at_s, id) AS created_ms, hubspot.ms(at_s, id) AS modified_ms, at_s * 1000 AS hs_timestamp,
    ['Call about pricing', 'Intro call', 'Rückruf'][1 + gen.pick(id, 'title', 3)] AS hs_call_title,
    CASE WHEN gen.chance(id, 'body', 0.5) THEN concat('<p>Asked for "terms" — call back.</p>', chr(10)) END AS hs_call_body,
    ['OUTBOUND', 'INBOUND'][1 + gen.pick(id, 'direction', 2)] AS hs_call_direction,
    (1000 * (20 + gen.pick(id, 'talk', 1800)))::VARCHAR AS hs_call_duration, 'COMPLETED' AS hs_call_status,
    hubspot.owner_of(id, 'owner') AS hubspot_owner_id, _person, _company
FROM done WHERE kind = 'calls' ORDER BY id;
INSERT INTO hubspot.emails BY NAME
SELECT id, hubspot.ms(at_s, id) AS created_ms, hubspot.ms(at_s, id) AS modified_ms, at_s * 1000 AS hs_timestamp,
    ['Following up', 'Re: your offer', 'Naïve question'][1 + gen.pick(id, 'subject', 3)] AS hs_email_subject,
    ['EMAIL', 'INCOMING_EMAIL'][1 + gen.pick(id, 'direction', 2)] AS hs_email_direction, 'SENT' AS hs_email_status,
    email AS hs_email_to_email, hubspot.owner_of(id, 'owner') AS hubspot_owner_id, _person, _company
FROM done WHERE kind = 'emails' ORDER BY id;
INSERT INTO hubspot.meetings BY NAME
SELECT id, hubspot.ms(at_s, id) AS created_ms, hubspot.ms(at_s, id) AS modified_ms, starts_s * 1000 AS hs_timestamp,
    ['Discovery', 'Demo', 'Quarterly review'][1 + gen.pick(id, 'title', 3)] AS hs_meeting_title, starts_s * 1000 AS hs_meeting_start_time,
    (starts_s + 1800 * (1 + gen.pick(id, 'length', 3))) * 1000 AS hs_meeting_end_time,
    ['SCHEDULED', 'COMPLETED', 'NO_SHOW'][1 + gen.pick(id, 'outcome', 3)] AS hs_meeting_outcome, 'Video' AS hs_meeting_location,
    hubspot.owner_of(id, 'owner') AS hubspot_owner_id, _person, _company
FROM (SELECT *, at_s - at_s % 1800 + 86400 * gen.pick(id, 'ahead', 14) AS starts_s FROM done) WHERE kind = 'meetings' ORDER BY id;
INSERT INTO hubspot.notes BY NAME
SELECT id, hubspot.ms(at_s, id) AS created_ms, hubspot.ms(at_s, id) AS modified_ms, at_s * 1000 AS hs_timestamp,
    'Met at the fair; wants a call.' AS hs_note_body, hubspot.owner_of(id, 'owner') AS hubspot_owner_id, _person, _company
FROM done WHERE kind = 'notes' ORDER BY id;
INSERT INTO hubspot.tasks BY NAME
SELECT id, hubspot.ms(at_s, id) AS created_ms, hubspot.ms(at_s, id) AS modified_ms, (at_s + 86400 * gen.pick(id, 'due', 10)) * 1000 AS hs_timestamp,
    ['Send the contract', 'Call back', 'Ask for a reference'][1 + gen.pick(id, 'subject', 3)] AS hs_task_subject,
    CASE WHEN is_done THEN 'COMPLETED' ELSE 'NOT_STARTED' END AS hs_task_status, ['LOW', 'MEDIUM', 'HIGH'][1 + gen.pick(id, 'priority', 3)] AS hs_task_priority,
    ['TODO', 'CALL', 'EMAIL'][1 + gen.pick(id, 'type', 3)] AS hs_task_type, CASE WHEN is_done THEN at_s * 1000 END AS hs_task_completion_date,
    hubspot.owner_of(id, 'owner') AS hubspot_owner_id, _person, _company
FROM (SELECT *, gen.chance(id, 'done', 0.6) AS is_done FROM done) WHERE kind = 'tasks' ORDER BY id;

-- Nine in ten stand at their contact, most of them at the company too; some meetings have two of our contacts.
INSERT INTO hubspot.association SELECT kind, id, 'contacts', contact, false FROM done WHERE gen.chance(id, 'with contact', 0.93);
INSERT INTO hubspot.association
SELECT kind, d.id, 'companies', c.id, false FROM done d JOIN hubspot.companies c ON c.id = d.company WHERE gen.chance(d.id, 'with company', 0.8);
INSERT INTO hubspot.association
SELECT kind, d.id, 'contacts', other.from_id, false
FROM done d JOIN hubspot.association other ON other.from_type = 'contacts' AND other.to_id = d.company AND other.from_id <> d.contact
WHERE kind = 'meetings' AND gen.chance(d.id, 'with others', 0.3)
QUALIFY row_number() OVER (PARTITION BY d.id ORDER BY other.from_id) = 1;
INSERT INTO hubspot.association
SELECT kind, d.id, 'deals', deal.from_id, false
FROM done d JOIN hubspot.association deal ON deal.from_type = 'deals' AND deal.to_type = 'companies' AND deal.to_id = d.company
WHERE gen.chance(d.id, 'with deal', 0.3)
QUALIFY row_number() OVER (PARTITION BY d.kind, d.id ORDER BY deal.from_id) = 1;
DROP TABLE done;

-- Roll-ups of the companies and contacts that are new here.
UPDATE hubspot.companies AS c SET num_associated_contacts = a.n::VARCHAR
FROM (SELECT to_id, count(*) AS n FROM hubspot.association WHERE from_type = 'contacts' AND to_type = 'companies' GROUP BY to_id) a
WHERE a.to_id = c.id AND getvariable('step') = 0;
UPDATE hubspot.contacts AS c SET num_associated_deals = a.n::VARCHAR
FROM (SELECT to_id, count(*) AS n FROM hubspot.association WHERE from_type = 'deals' AND to_type = 'contacts' GROUP BY to_id) a
WHERE a.to_id = c.id AND getvariable('step') = 0;
