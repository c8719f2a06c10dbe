-- A day at Salesforce. Each statement's first line names what its rows are counted as.

-- count: contacts_retitled
UPDATE salesforce."Contact" AS c
SET Title = t.title, LastModifiedDate = gen.today(c.Id, 'retitled'), SystemModstamp = gen.today(c.Id, 'retitled')
FROM gen.title t
WHERE t.i = gen.pick(c.Id, gen.salted('new title'), getvariable('title_count'))
  AND NOT c.IsDeleted AND gen.chance(c.Id, gen.salted('retitled'), 0.02);

-- count: contacts_moved
UPDATE salesforce."Contact" AS c
SET Email = m.new_email,
    AccountId = CASE WHEN gen.chance(m.new_company, 'account', 0.96) THEN gen.sfid('001', m.new_company * 4) END,
    _company = m.new_company, LastModifiedDate = gen.today(c.Id, 'moved'), SystemModstamp = gen.today(c.Id, 'moved')
FROM moved m
WHERE m.n = c._person AND NOT c.IsDeleted AND gen.chance(c.Id, gen.salted('noticed'), 0.6);

-- count: contacts_mass_updated
UPDATE salesforce."Contact"
SET Score__c = round(gen.share(Id, gen.salted('score')) * 100, 1), SystemModstamp = gen.moment(getvariable('until_s'))
WHERE NOT IsDeleted AND gen.chance(Id, gen.salted('mass update'), getvariable('mass_rate'));

-- count: leads_converted_into_new_contacts
INSERT INTO salesforce."Contact" BY NAME
SELECT
    gen.sfid('003', l._person * 4 + 2) AS Id, false AS IsDeleted,
    CASE WHEN l._company IS NOT NULL AND gen.chance(l._company, 'account', 0.96) THEN gen.sfid('001', l._company * 4) END AS AccountId,
    l.LastName, l.FirstName, l.City AS MailingCity, l.Country AS MailingCountry, l.Phone, l.MobilePhone, l.Email, l.Title, l.LeadSource,
    l.OwnerId, l.HasOptedOutOfEmail, gen.today(l.Id, 'converted') AS CreatedDate, l.OwnerId AS CreatedById,
    gen.today(l.Id, 'converted') AS LastModifiedDate, l.OwnerId AS LastModifiedById, gen.today(l.Id, 'converted') AS SystemModstamp,
    l._person, l._company
FROM salesforce."Lead" l
WHERE NOT l.IsConverted AND NOT l.IsDeleted AND NOT EXISTS (FROM salesforce."Contact" c WHERE c._person = l._person)
ORDER BY gen.h(l.Id, gen.salted('converted')) LIMIT greatest(1, getvariable('people') // 1000);

-- count: leads_converted
UPDATE salesforce."Lead" AS l
SET IsConverted = true, Status = 'Closed - Converted', ConvertedContactId = gen.sfid('003', l._person * 4 + 2), ConvertedAccountId = c.AccountId,
    ConvertedDate = gen.today(l.Id, 'converted')::DATE, LastModifiedDate = gen.today(l.Id, 'converted'), SystemModstamp = gen.today(l.Id, 'converted')
FROM salesforce."Contact" c
WHERE c.Id = gen.sfid('003', l._person * 4 + 2) AND NOT l.IsConverted AND NOT l.IsDeleted;

-- count: contacts_arriving_late
UPDATE salesforce."Contact"
SET CreatedDate = gen.late(Id), LastModifiedDate = gen.late(Id), SystemModstamp = gen.late(Id)
WHERE Id IN (
    SELECT Id FROM salesforce."Contact" WHERE _person >= getvariable('person_lo')
    ORDER BY gen.h(Id, gen.salted('late')) LIMIT greatest(2, getvariable('people') // 2000)
);

-- Merges: the elder of two records of one person or company wins, takes over what hung on the other, and both are stamped.
CREATE OR REPLACE TEMP TABLE merged AS
SELECT 'Contact' AS object, winner, loser, moment FROM (
    SELECT min(Id) AS winner, max(Id) AS loser, gen.today(min(Id), 'merged') AS moment
    FROM salesforce."Contact" WHERE NOT IsDeleted GROUP BY _person HAVING count(*) > 1
    ORDER BY gen.h(min(Id), gen.salted('merge')) LIMIT greatest(1, getvariable('people') // 1000)
)
UNION ALL
SELECT 'Account', winner, loser, moment FROM (
    SELECT min(Id) AS winner, max(Id) AS loser, gen.today(min(Id), 'merged') AS moment
    FROM salesforce."Account" WHERE NOT IsDeleted GROUP BY _company HAVING count(*) > 1
    ORDER BY gen.h(min(Id), gen.salted('merge')) LIMIT greatest(1, getvariable('people') // 4000)
);

-- count: contacts_merged
UPDATE salesforce."Contact" AS c SET IsDeleted = true, MasterRecordId = m.winner, LastModifiedDate = m.moment, SystemModstamp = m.moment
FROM merged m WHERE m.loser = c.Id;

-- count: accounts_merged
UPDATE salesforce."Account" AS a SET IsDeleted = true, MasterRecordId = m.winner, LastModifiedDate = m.moment, SystemModstamp = m.moment
FROM merged m WHERE m.loser = a.Id;

UPDATE salesforce."Contact" AS c SET LastModifiedDate = m.moment, SystemModstamp = m.moment FROM merged m WHERE m.winner = c.Id;
UPDATE salesforce."Account" AS a SET LastModifiedDate = m.moment, SystemModstamp = m.moment FROM merged m WHERE m.winner = a.Id;
UPDATE salesforce."Task" AS t SET WhoId = m.winner, SystemModstamp = m.moment FROM merged m WHERE m.loser = t.WhoId;
UPDATE salesforce."Event" AS e SET WhoId = m.winner, SystemModstamp = m.moment FROM merged m WHERE m.loser = e.WhoId;
UPDATE salesforce."Lead" AS l SET ConvertedContactId = m.winner, SystemModstamp = m.moment FROM merged m WHERE m.loser = l.ConvertedContactId;
UPDATE salesforce."Contact" AS c SET AccountId = m.winner, SystemModstamp = m.moment FROM merged m WHERE m.loser = c.AccountId;
UPDATE salesforce."Task" AS t SET AccountId = m.winner, WhatId = m.winner, SystemModstamp = m.moment FROM merged m WHERE m.loser = t.AccountId;
UPDATE salesforce."Event" AS e SET AccountId = m.winner, WhatId = m.winner, SystemModstamp = m.moment FROM merged m WHERE m.loser = e.AccountId;
INSERT INTO salesforce.deletion SELECT object, loser, moment FROM merged;

-- What goes to the recycle bin today, and what comes back out of it.
CREATE OR REPLACE TEMP TABLE binned AS
SELECT 'Contact' AS object, Id FROM (SELECT Id FROM salesforce."Contact" WHERE NOT IsDeleted
    ORDER BY gen.h(Id, gen.salted('binned')) LIMIT greatest(1, getvariable('people') // 400))
UNION ALL SELECT 'Lead', Id FROM (SELECT Id FROM salesforce."Lead" WHERE NOT IsDeleted
    ORDER BY gen.h(Id, gen.salted('binned')) LIMIT greatest(1, getvariable('people') // 1000))
UNION ALL SELECT 'Task', Id FROM (SELECT Id FROM salesforce."Task" WHERE NOT IsDeleted
    ORDER BY gen.h(Id, gen.salted('binned')) LIMIT greatest(1, getvariable('people') // 500))
UNION ALL SELECT 'Opportunity', Id FROM (SELECT Id FROM salesforce."Opportunity" WHERE NOT IsDeleted
    ORDER BY gen.h(Id, gen.salted('binned')) LIMIT greatest(1, getvariable('people') // 5000))
UNION ALL SELECT 'Subscription__c', Id FROM (SELECT Id FROM salesforce."Subscription__c" WHERE NOT IsDeleted
    ORDER BY gen.h(Id, gen.salted('binned')) LIMIT getvariable('people') // 5000);

CREATE OR REPLACE TEMP TABLE restored AS
SELECT Id FROM salesforce."Contact" WHERE IsDeleted AND MasterRecordId IS NULL AND gen.chance(Id, gen.salted('undeleted'), 0.15);
DELETE FROM salesforce.deletion WHERE id IN (SELECT Id FROM restored);

-- count: contacts_undeleted
UPDATE salesforce."Contact" SET IsDeleted = false, LastModifiedDate = gen.today(Id, 'undeleted'), SystemModstamp = gen.today(Id, 'undeleted')
WHERE Id IN (SELECT Id FROM restored);

-- count: contacts_deleted
UPDATE salesforce."Contact" SET IsDeleted = true, LastModifiedDate = gen.today(Id, 'binned'), SystemModstamp = gen.today(Id, 'binned')
WHERE Id IN (SELECT Id FROM binned);

-- count: leads_deleted
UPDATE salesforce."Lead" SET IsDeleted = true, LastModifiedDate = gen.today(Id, 'binned'), SystemModstamp = gen.today(Id, 'binned')
WHERE Id IN (SELECT Id FROM binned);

-- count: tasks_deleted
UPDATE salesforce."Task" SET IsDeleted = true, LastModifiedDate = gen.today(Id, 'binned'), SystemModstamp = gen.today(Id, 'binned')
WHERE Id IN (SELECT Id FROM binned);

-- count: opportunities_deleted
UPDATE salesforce."Opportunity" SET IsDeleted = true, LastModifiedDate = gen.today(Id, 'binned'), SystemModstamp = gen.today(Id, 'binned')
WHERE Id IN (SELECT Id FROM binned);

UPDATE salesforce."Subscription__c" SET IsDeleted = true, LastModifiedDate = gen.today(Id, 'binned'), SystemModstamp = gen.today(Id, 'binned')
WHERE Id IN (SELECT Id FROM binned);
INSERT INTO salesforce.deletion SELECT object, Id, gen.today(Id, 'binned') FROM binned;

-- Hard deletes never show in queryAll: some at once, the rest when the recycle bin is emptied after fifteen days.
CREATE OR REPLACE TEMP TABLE wiped AS
SELECT Id FROM salesforce."Contact" WHERE NOT IsDeleted
ORDER BY gen.h(Id, gen.salted('wiped')) LIMIT greatest(1, getvariable('people') // 2000);
INSERT INTO salesforce.deletion SELECT 'Contact', Id, gen.today(Id, 'wiped') FROM wiped;

-- count: contacts_hard_deleted
DELETE FROM salesforce."Contact" WHERE Id IN (SELECT Id FROM wiped);

-- count: recycle_bin_emptied
DELETE FROM salesforce."Contact" WHERE IsDeleted AND SystemModstamp < gen.moment(getvariable('until_s') - 15 * 86400);
DELETE FROM salesforce."Lead" WHERE IsDeleted AND SystemModstamp < gen.moment(getvariable('until_s') - 15 * 86400);
DELETE FROM salesforce."Task" WHERE IsDeleted AND SystemModstamp < gen.moment(getvariable('until_s') - 15 * 86400);
DELETE FROM salesforce."Account" WHERE IsDeleted AND SystemModstamp < gen.moment(getvariable('until_s') - 15 * 86400);
DELETE FROM salesforce."Opportunity" WHERE IsDeleted AND SystemModstamp < gen.moment(getvariable('until_s') - 15 * 86400);
DELETE FROM salesforce."Subscription__c" WHERE IsDeleted AND SystemModstamp < gen.moment(getvariable('until_s') - 15 * 86400);
DELETE FROM salesforce.deletion WHERE deleted_at < gen.moment(getvariable('until_s') - 15 * 86400);

-- Work goes on.
-- count: accounts_changed
UPDATE salesforce."Account"
SET NumberOfEmployees = NumberOfEmployees + 1 + gen.pick(Id, gen.salted('hired'), 20),
    LastModifiedDate = gen.today(Id, 'account'), SystemModstamp = gen.today(Id, 'account')
WHERE NOT IsDeleted AND gen.chance(Id, gen.salted('account'), 0.01);

-- count: opportunities_moved_on
UPDATE salesforce."Opportunity"
SET StageName = CASE StageName WHEN 'Prospecting' THEN 'Qualification' WHEN 'Qualification' THEN 'Proposal/Price Quote'
        WHEN 'Proposal/Price Quote' THEN 'Negotiation/Review' ELSE 'Closed Won' END,
    Probability = CASE StageName WHEN 'Prospecting' THEN 20 WHEN 'Qualification' THEN 65 WHEN 'Proposal/Price Quote' THEN 80 ELSE 100 END,
    IsClosed = StageName = 'Negotiation/Review', IsWon = StageName = 'Negotiation/Review',
    LastModifiedDate = gen.today(Id, 'stage'), SystemModstamp = gen.today(Id, 'stage')
WHERE NOT IsDeleted AND NOT IsClosed AND gen.chance(Id, gen.salted('stage'), 0.04);

-- count: tasks_completed
UPDATE salesforce."Task"
SET IsClosed = true, Status = 'Completed', CompletedDateTime = gen.today(Id, 'done'),
    LastModifiedDate = gen.today(Id, 'done'), SystemModstamp = gen.today(Id, 'done')
WHERE NOT IsDeleted AND NOT IsClosed AND gen.chance(Id, gen.salted('done'), 0.05);

-- count: tasks_created
INSERT INTO salesforce."Task" BY NAME
SELECT
    gen.sfid('00T', 300000000 + getvariable('step') * 1000000 + row_number() OVER (ORDER BY c.Id)) AS Id, false AS IsDeleted,
    c.Id AS WhoId, c.AccountId AS WhatId, c.AccountId, 'Call about pricing' AS Subject, gen.today(c.Id, 'called')::DATE AS ActivityDate,
    'Completed' AS Status, 'Normal' AS Priority, c.OwnerId, true AS IsClosed, 'Call' AS Type, 'Call' AS TaskSubtype,
    30 + gen.pick(c.Id, gen.salted('talk'), 1800) AS CallDurationInSeconds, gen.today(c.Id, 'called') AS CompletedDateTime,
    gen.today(c.Id, 'called') AS CreatedDate, c.OwnerId AS CreatedById, gen.today(c.Id, 'called') AS LastModifiedDate,
    c.OwnerId AS LastModifiedById, gen.today(c.Id, 'called') AS SystemModstamp, c._person, c._company
FROM salesforce."Contact" c
WHERE NOT c.IsDeleted AND gen.chance(c.Id, gen.salted('called'), 0.01);

-- count: subscriptions_changed
UPDATE salesforce."Subscription__c"
SET Seats__c = Seats__c + 5, LastModifiedDate = gen.today(Id, 'seats'), SystemModstamp = gen.today(Id, 'seats')
WHERE NOT IsDeleted AND gen.chance(Id, gen.salted('seats'), 0.02);
