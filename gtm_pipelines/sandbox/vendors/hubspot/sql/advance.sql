-- A day at HubSpot. Each statement's first line names what its rows are counted as.

-- count: hubspot_contacts_changed
UPDATE hubspot.contacts
SET lifecyclestage = CASE lifecyclestage WHEN 'customer' THEN 'evangelist' ELSE 'customer' END, modified_ms = hubspot.today_ms(id, 'hs changed')
WHERE NOT archived AND gen.chance(id, gen.salted('hs changed'), 0.02);

-- Who is noticed to have moved gets a new address and company; the primary company moves with it.
CREATE OR REPLACE TEMP TABLE noticed AS
SELECT c.id, m.new_email, m.new_company, m.company_name, hubspot.today_ms(c.id, 'hs moved') AS at_ms,
    (SELECT min(k.id) FROM hubspot.companies k WHERE k._company = m.new_company AND NOT k.archived) AS company
FROM hubspot.contacts c JOIN moved m ON m.n = c._person
WHERE NOT c.archived AND gen.chance(c.id, gen.salted('hs noticed'), 0.5)
QUALIFY row_number() OVER (PARTITION BY c._person ORDER BY c.id) = 1;

-- count: hubspot_contacts_moved
UPDATE hubspot.contacts AS c
SET email = n.new_email, company = n.company_name, associatedcompanyid = n.company::VARCHAR, _company = n.new_company, modified_ms = n.at_ms
FROM noticed n WHERE n.id = c.id;
DELETE FROM hubspot.association a WHERE a.from_type = 'contacts' AND a.from_id IN (SELECT id FROM noticed);
INSERT INTO hubspot.association SELECT 'contacts', id, 'companies', company, true FROM noticed WHERE company IS NOT NULL;

-- count: hubspot_contacts_mass_updated
UPDATE hubspot.contacts SET hs_lead_status = 'OPEN_DEAL', modified_ms = getvariable('until_s')::BIGINT * 1000
WHERE NOT archived AND gen.chance(id, gen.salted('hs mass update'), getvariable('mass_rate'));

-- count: hubspot_contacts_arriving_late
UPDATE hubspot.contacts SET created_ms = epoch_ms(gen.late(id)) + 7, modified_ms = epoch_ms(gen.late(id)) + 7
WHERE id IN (
    SELECT id FROM hubspot.contacts WHERE _person >= getvariable('person_lo')
    ORDER BY gen.h(id, gen.salted('hs late')) LIMIT greatest(2, getvariable('people') // 2000)
);

-- Contacts: the elder takes over and keeps its id. Companies: a new record takes over from both.
CREATE OR REPLACE TEMP TABLE contact_merge AS
SELECT min(id) AS winner, max(id) AS loser, _person, hubspot.today_ms(min(id), 'hs merged') AS at_ms
FROM hubspot.contacts WHERE NOT archived GROUP BY _person HAVING count(*) > 1
ORDER BY gen.h(min(id), gen.salted('hs merge')) LIMIT greatest(1, getvariable('people') // 1000);
CREATE OR REPLACE TEMP TABLE company_merge AS
SELECT pair.*, 9700000000 + getvariable('step')::BIGINT * 100000 + row_number() OVER (ORDER BY elder) AS winner FROM (
    SELECT min(id) AS elder, max(id) AS younger, _company, hubspot.today_ms(min(id), 'hs merged') AS at_ms
    FROM hubspot.companies WHERE NOT archived GROUP BY _company HAVING count(*) > 1
    ORDER BY gen.h(min(id), gen.salted('hs merge')) LIMIT greatest(1, getvariable('people') // 4000)
) pair;
INSERT INTO hubspot.companies BY NAME
SELECT c.* REPLACE (m.winner AS id, m.at_ms AS modified_ms,
    concat_ws(';', nullif(c.hs_merged_object_ids, ''), y.hs_merged_object_ids, m.elder, m.younger) AS hs_merged_object_ids)
FROM company_merge m JOIN hubspot.companies c ON c.id = m.elder JOIN hubspot.companies y ON y.id = m.younger;
CREATE OR REPLACE TEMP TABLE absorbed AS
SELECT 'contacts' AS object, loser, winner, _person, NULL::BIGINT AS _company FROM contact_merge
UNION ALL SELECT 'companies', elder, winner, NULL, _company FROM company_merge
UNION ALL SELECT 'companies', younger, winner, NULL, _company FROM company_merge;

-- count: hubspot_contacts_merged
UPDATE hubspot.contacts AS c
SET hs_merged_object_ids = concat_ws(';', nullif(c.hs_merged_object_ids, ''), l.hs_merged_object_ids, m.loser), modified_ms = m.at_ms
FROM contact_merge m JOIN hubspot.contacts l ON l.id = m.loser WHERE c.id = m.winner;
DELETE FROM hubspot.contacts WHERE id IN (SELECT loser FROM absorbed WHERE object = 'contacts');

-- count: hubspot_companies_merged
DELETE FROM hubspot.companies WHERE id IN (SELECT loser FROM absorbed WHERE object = 'companies');
UPDATE hubspot.merged AS m SET winner = a.winner FROM absorbed a WHERE a.object = m.object AND a.loser = m.winner;
INSERT INTO hubspot.merged SELECT object, loser, winner, _person, _company FROM absorbed;

-- What hung on the absorbed hangs on the winner now, and none of it says that it changed.
CREATE OR REPLACE TEMP TABLE rehung AS
SELECT DISTINCT a.from_type, coalesce(f.winner, a.from_id) AS from_id, a.to_type, coalesce(t.winner, a.to_id) AS to_id, a.is_primary,
    a.from_id AS old_from, a.to_id AS old_to
FROM hubspot.association a
LEFT JOIN absorbed f ON f.object = a.from_type AND f.loser = a.from_id
LEFT JOIN absorbed t ON t.object = a.to_type AND t.loser = a.to_id
WHERE f.winner IS NOT NULL OR t.winner IS NOT NULL;
DELETE FROM hubspot.association a USING rehung r
WHERE a.from_type = r.from_type AND a.to_type = r.to_type AND a.from_id IN (r.old_from, r.from_id) AND a.to_id IN (r.old_to, r.to_id);
INSERT INTO hubspot.association SELECT from_type, from_id, to_type, to_id, bool_or(is_primary) FROM rehung GROUP BY ALL;
UPDATE hubspot.association AS a SET is_primary = false
FROM (
    SELECT from_id, min(to_id) AS first FROM hubspot.association
    WHERE from_type = 'contacts' AND is_primary GROUP BY from_id HAVING count(*) > 1
) twice
WHERE a.from_type = 'contacts' AND a.from_id = twice.from_id AND a.to_id <> twice.first;
UPDATE hubspot.contacts AS c SET associatedcompanyid = a.winner::VARCHAR
FROM absorbed a WHERE a.object = 'companies' AND c.associatedcompanyid = a.loser::VARCHAR;

-- Some contacts are put to another company by hand: an association goes and one comes, and no record's date moves.
CREATE OR REPLACE TEMP TABLE reassigned AS
SELECT c.id, k.id AS company FROM hubspot.contacts c
JOIN hubspot.companies k ON k.id = 9000000001 + 4 * gen.pick(c.id, gen.salted('hs reassigned to'), getvariable('company_lo'))
WHERE NOT c.archived AND NOT k.archived AND c.associatedcompanyid IS NOT NULL AND c.associatedcompanyid <> k.id::VARCHAR
  AND c.id NOT IN (SELECT id FROM noticed)
ORDER BY gen.h(c.id, gen.salted('hs reassigned')) LIMIT greatest(2, getvariable('people') // 500);
DELETE FROM hubspot.association a WHERE a.from_type = 'contacts' AND a.from_id IN (SELECT id FROM reassigned);
INSERT INTO hubspot.association SELECT 'contacts', id, 'companies', company, true FROM reassigned;

-- count: hubspot_contacts_reassigned
UPDATE hubspot.contacts AS c SET associatedcompanyid = r.company::VARCHAR FROM reassigned r WHERE r.id = c.id;

-- What is archived today, and what comes back. The archive keeps records for ninety days.
-- count: hubspot_contacts_restored
UPDATE hubspot.contacts SET archived = false, archived_ms = NULL, modified_ms = hubspot.today_ms(id, 'hs restored')
WHERE archived AND gen.chance(id, gen.salted('hs restored'), 0.15);

CREATE OR REPLACE TEMP TABLE put_away AS
SELECT id FROM (SELECT id FROM hubspot.contacts WHERE NOT archived
    ORDER BY gen.h(id, gen.salted('hs archived')) LIMIT greatest(1, getvariable('people') // 400))
UNION ALL SELECT id FROM (SELECT id FROM hubspot.companies WHERE NOT archived AND num_associated_contacts = '0'
    ORDER BY gen.h(id, gen.salted('hs archived')) LIMIT greatest(1, getvariable('people') // 4000))
UNION ALL SELECT id FROM (SELECT id FROM hubspot.deals WHERE NOT archived
    ORDER BY gen.h(id, gen.salted('hs archived')) LIMIT greatest(1, getvariable('people') // 2000))
UNION ALL SELECT id FROM (SELECT id FROM hubspot.calls WHERE NOT archived
    ORDER BY gen.h(id, gen.salted('hs archived')) LIMIT greatest(1, getvariable('people') // 1000))
UNION ALL SELECT id FROM (SELECT id FROM hubspot.emails WHERE NOT archived
    ORDER BY gen.h(id, gen.salted('hs archived')) LIMIT greatest(1, getvariable('people') // 1000))
UNION ALL SELECT id FROM (SELECT id FROM hubspot.meetings WHERE NOT archived
    ORDER BY gen.h(id, gen.salted('hs archived')) LIMIT greatest(1, getvariable('people') // 2000))
UNION ALL SELECT id FROM (SELECT id FROM hubspot.notes WHERE NOT archived
    ORDER BY gen.h(id, gen.salted('hs archived')) LIMIT greatest(1, getvariable('people') // 2000))
UNION ALL SELECT id FROM (SELECT id FROM hubspot.tasks WHERE NOT archived
    ORDER BY gen.h(id, gen.salted('hs archived')) LIMIT greatest(1, getvariable('people') // 2000));

-- count: hubspot_contacts_archived
UPDATE hubspot.contacts SET archived = true, archived_ms = greatest(modified_ms, hubspot.today_ms(id, 'hs archived')) WHERE id IN (SELECT id FROM put_away);

-- count: hubspot_companies_archived
UPDATE hubspot.companies SET archived = true, archived_ms = greatest(modified_ms, hubspot.today_ms(id, 'hs archived')) WHERE id IN (SELECT id FROM put_away);

-- count: hubspot_deals_archived
UPDATE hubspot.deals SET archived = true, archived_ms = greatest(modified_ms, hubspot.today_ms(id, 'hs archived')) WHERE id IN (SELECT id FROM put_away);
UPDATE hubspot.calls SET archived = true, archived_ms = greatest(modified_ms, hubspot.today_ms(id, 'hs archived')) WHERE id IN (SELECT id FROM put_away);
UPDATE hubspot.emails SET archived = true, archived_ms = greatest(modified_ms, hubspot.today_ms(id, 'hs archived')) WHERE id IN (SELECT id FROM put_away);
UPDATE hubspot.meetings SET archived = true, archived_ms = greatest(modified_ms, hubspot.today_ms(id, 'hs archived')) WHERE id IN (SELECT id FROM put_away);
UPDATE hubspot.notes SET archived = true, archived_ms = greatest(modified_ms, hubspot.today_ms(id, 'hs archived')) WHERE id IN (SELECT id FROM put_away);
UPDATE hubspot.tasks SET archived = true, archived_ms = greatest(modified_ms, hubspot.today_ms(id, 'hs archived')) WHERE id IN (SELECT id FROM put_away);

-- count: hubspot_archive_emptied
DELETE FROM hubspot.contacts WHERE archived AND archived_ms < (getvariable('until_s')::BIGINT - 90 * 86400) * 1000;
DELETE FROM hubspot.companies WHERE archived AND archived_ms < (getvariable('until_s')::BIGINT - 90 * 86400) * 1000;
DELETE FROM hubspot.deals WHERE archived AND archived_ms < (getvariable('until_s')::BIGINT - 90 * 86400) * 1000;
DELETE FROM hubspot.calls WHERE archived AND archived_ms < (getvariable('until_s')::BIGINT - 90 * 86400) * 1000;
DELETE FROM hubspot.emails WHERE archived AND archived_ms < (getvariable('until_s')::BIGINT - 90 * 86400) * 1000;
DELETE FROM hubspot.meetings WHERE archived AND archived_ms < (getvariable('until_s')::BIGINT - 90 * 86400) * 1000;
DELETE FROM hubspot.notes WHERE archived AND archived_ms < (getvariable('until_s')::BIGINT - 90 * 86400) * 1000;
DELETE FROM hubspot.tasks WHERE archived AND archived_ms < (getvariable('until_s')::BIGINT - 90 * 86400) * 1000;

-- Work goes on.
-- count: hubspot_companies_changed
UPDATE hubspot.companies
SET numberofemployees = (coalesce(try_cast(numberofemployees AS BIGINT), 0) + 1 + gen.pick(id, gen.salted('hs hired'), 20))::VARCHAR,
    modified_ms = hubspot.today_ms(id, 'hs company')
WHERE NOT archived AND gen.chance(id, gen.salted('hs company'), 0.01);

-- count: hubspot_deals_moved_on
UPDATE hubspot.deals
SET dealstage = CASE dealstage WHEN 'appointmentscheduled' THEN 'qualifiedtobuy' WHEN 'qualifiedtobuy' THEN 'presentationscheduled'
        WHEN 'presentationscheduled' THEN 'contractsent' ELSE 'closedwon' END,
    hs_is_closed = (dealstage = 'contractsent')::VARCHAR, hs_is_closed_won = (dealstage = 'contractsent')::VARCHAR,
    modified_ms = hubspot.today_ms(id, 'hs stage')
WHERE NOT archived AND hs_is_closed = 'false' AND gen.chance(id, gen.salted('hs stage'), 0.04);

CREATE OR REPLACE TEMP TABLE rung AS
SELECT c.id AS contact, try_cast(c.associatedcompanyid AS BIGINT) AS company, c._person, c._company, gen.today_s(c.id, 'hs rung') AS at_s,
    35000000000 + getvariable('step')::BIGINT * 1000000 + row_number() OVER (ORDER BY c.id) AS id
FROM hubspot.contacts c WHERE NOT c.archived AND gen.chance(c.id, gen.salted('hs rung'), getvariable('rare_rate') * 4);

-- count: hubspot_calls_created
INSERT INTO hubspot.calls BY NAME
SELECT id, hubspot.ms(at_s, id) AS created_ms, hubspot.ms(at_s, id) AS modified_ms, at_s * 1000 AS hs_timestamp, 'Call of the day' AS hs_call_title,
    'OUTBOUND' AS hs_call_direction, '60000' AS hs_call_duration, 'COMPLETED' AS hs_call_status, hubspot.owner_of(id, 'owner') AS hubspot_owner_id,
    _person, _company
FROM rung;
INSERT INTO hubspot.association SELECT 'calls', id, 'contacts', contact, false FROM rung;
INSERT INTO hubspot.association SELECT 'calls', r.id, 'companies', c.id, false FROM rung r JOIN hubspot.companies c ON c.id = r.company;

-- count: hubspot_tasks_completed
UPDATE hubspot.tasks
SET hs_task_status = 'COMPLETED', hs_task_completion_date = gen.today_s(id, 'hs done') * 1000, modified_ms = hubspot.ms(gen.today_s(id, 'hs done'), id)
WHERE NOT archived AND hs_task_status <> 'COMPLETED' AND gen.chance(id, gen.salted('hs done'), 0.06);

-- Calculated properties follow, and touch no date.
-- count: hubspot_contacts_calculated
UPDATE hubspot.contacts AS c SET notes_last_contacted = r.at_s * 1000 FROM rung r WHERE r.contact = c.id;
UPDATE hubspot.companies AS c SET num_associated_contacts = coalesce(a.n, 0)::VARCHAR
FROM (SELECT k.id, count(x.from_id) AS n FROM hubspot.companies k
    LEFT JOIN hubspot.association x ON x.from_type = 'contacts' AND x.to_type = 'companies' AND x.to_id = k.id GROUP BY k.id) a
WHERE a.id = c.id AND c.num_associated_contacts IS DISTINCT FROM coalesce(a.n, 0)::VARCHAR;
