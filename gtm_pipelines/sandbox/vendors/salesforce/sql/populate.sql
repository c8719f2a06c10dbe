-- What Salesforce makes of companies [company_lo, company_hi) and people [person_lo, person_hi).
-- A record's serial is four times the number of what it stands for plus which copy of it this is.
INSERT INTO salesforce."Account" BY NAME
WITH seen AS (
    SELECT c.*, copies.copy, c.n * 4 + copies.copy AS serial,
        gen.between_s(c.n * 4 + copies.copy, 'account made', c.born_s, getvariable('until_s')) AS created_s
    FROM truth.company c, (VALUES (0), (1)) copies(copy)
    WHERE c.n >= getvariable('company_lo') AND c.n < getvariable('company_hi') AND gen.chance(c.n, 'account', 0.96)
      AND (copy = 0 OR gen.chance(c.n, 'account twice', 0.05))
), changed AS (
    SELECT *, gen.between_s(serial, 'account changed', created_s, getvariable('until_s')) AS changed_s FROM seen
)
SELECT
    gen.sfid('001', serial) AS Id, false AS IsDeleted,
    CASE gen.pick(serial, 'legal form', 6)
        WHEN 0 THEN concat(name, ', Inc.') WHEN 1 THEN concat(name, ' LLC') WHEN 2 THEN upper(name)
        WHEN 3 THEN concat(name, ' Incorporated') ELSE name END AS Name,
    ['Prospect', 'Customer', 'Partner', 'Former Customer'][1 + gen.pick(serial, 'account type', 4)] AS Type,
    city AS BillingCity, country AS BillingCountry,
    gen.written_phone(switchboard, gen.pick(serial, 'phone style', 7)) AS Phone,
    CASE gen.pick(serial, 'website', 8)
        WHEN 0 THEN concat('https://www.', domain, '/') WHEN 1 THEN concat('http://', domain) WHEN 2 THEN concat('WWW.', upper(domain))
        WHEN 3 THEN concat('https://', domain, '/en/about?ref=crm') WHEN 4 THEN NULL ELSE concat('www.', domain) END AS Website,
    industry AS Industry, revenue AS AnnualRevenue, employees AS NumberOfEmployees,
    CASE WHEN copy = 1 THEN 'Imported from the trade show list' END AS Description,
    gen.sfid('005', gen.pick(serial, 'owner', getvariable('users'))) AS OwnerId,
    gen.moment(created_s) AS CreatedDate, gen.sfid('005', 0) AS CreatedById,
    gen.moment(changed_s) AS LastModifiedDate, gen.sfid('005', 0) AS LastModifiedById, gen.moment(changed_s) AS SystemModstamp,
    ['Enterprise', 'Mid-Market', 'SMB', NULL][1 + gen.pick(serial, 'tier', 4)] AS Tier__c,
    n AS _company
FROM changed
ORDER BY SystemModstamp, Id;

INSERT INTO salesforce."Contact" BY NAME
WITH seen AS (
    SELECT p.*, copies.copy, p.n * 4 + copies.copy AS serial,
        p.previous_company IS NOT NULL AND gen.chance(p.n, 'contact is stale', 0.5) AS is_stale,
        gen.between_s(p.n * 4 + copies.copy, 'contact made', p.born_s, getvariable('until_s')) AS created_s
    FROM truth.person p, (VALUES (0), (1)) copies(copy)
    WHERE p.n >= getvariable('person_lo') AND p.n < getvariable('person_hi') AND gen.chance(p.n, 'contact', 0.7)
      AND (copy = 0 OR gen.chance(p.n, 'contact twice', 0.05))
), placed AS (
    SELECT *, CASE WHEN is_stale THEN previous_company ELSE company END AS seen_company,
        gen.between_s(serial, 'contact changed', created_s, getvariable('until_s')) AS own_changed_s
    FROM seen
), changed AS (
    SELECT placed.*, c.domain, c.switchboard, c.city, c.country,
        -- One mass update long ago left one stamp on a fifth of the table: in a larger world, many pages.
        CASE WHEN gen.chance(serial, 'mass update', 0.3) AND created_s < getvariable('mass_update_s')
            THEN getvariable('mass_update_s') ELSE own_changed_s END AS changed_s
    FROM placed
    LEFT JOIN truth.company c ON c.n = seen_company
), written AS (
    SELECT *,
        gen.written_name(first_name, nickname, serial, 'first', CASE copy WHEN 1 THEN 0.5 ELSE 0.08 END) AS given,
        gen.written_name(last_name, last_name, serial, 'last', 0) AS family
    FROM changed
)
SELECT
    gen.sfid('003', serial) AS Id, false AS IsDeleted,
    CASE WHEN seen_company IS NOT NULL AND gen.chance(seen_company, 'account', 0.96) THEN gen.sfid('001', seen_company * 4
        + CASE WHEN gen.chance(seen_company, 'account twice', 0.05) AND gen.chance(serial, 'at the copy', 0.3) THEN 1 ELSE 0 END)
        END AS AccountId,
    family AS LastName, CASE WHEN NOT gen.chance(serial, 'no first name', 0.01) THEN given END AS FirstName,
    [NULL, 'Ms.', 'Mr.', 'Dr.'][1 + gen.pick(serial, 'salutation', 4)] AS Salutation,
    city AS MailingCity, country AS MailingCountry,
    CASE
        WHEN gen.chance(serial, 'switchboard', 0.12) THEN gen.written_phone(switchboard, gen.pick(serial, 'phone style', 7))
        WHEN gen.chance(serial, 'phone', 0.55) THEN gen.written_phone(phone, gen.pick(serial, 'phone style', 7)) END AS Phone,
    CASE WHEN gen.chance(serial, 'mobile', 0.35) THEN gen.written_phone(mobile, gen.pick(serial, 'mobile style', 7)) END AS MobilePhone,
    CASE
        WHEN gen.chance(serial, 'no email', 0.04) THEN NULL
        WHEN domain IS NOT NULL AND gen.chance(serial, 'role address', 0.03)
            THEN concat(['info@', 'sales@', 'office@'][1 + gen.pick(serial, 'role', 3)], domain)
        WHEN copy = 1 AND gen.chance(serial, 'personal', 0.4) THEN gen.written_email(personal_email, serial, 'email', 0)
        WHEN is_stale THEN gen.written_email(previous_email, serial, 'email', 0)
        ELSE gen.written_email(email, serial, 'email', 0.01) END AS Email,
    title AS Title, [NULL, 'Sales', 'Marketing', 'Operations'][1 + gen.pick(serial, 'department', 4)] AS Department,
    ['Web', 'Phone Inquiry', 'Partner Referral', 'Purchased List', NULL][1 + gen.pick(serial, 'source', 5)] AS LeadSource,
    CASE WHEN gen.chance(serial, 'note', 0.03) THEN concat('Met at the fair: "', given, '"', chr(10), 'wants a call — soon ☎') END AS Description,
    gen.sfid('005', gen.pick(serial, 'owner', getvariable('users'))) AS OwnerId,
    gen.chance(serial, 'opted out', 0.05) AS HasOptedOutOfEmail,
    gen.moment(created_s) AS CreatedDate, gen.sfid('005', 0) AS CreatedById,
    gen.moment(own_changed_s) AS LastModifiedDate, gen.sfid('005', 0) AS LastModifiedById,
    gen.moment(greatest(changed_s, own_changed_s)) AS SystemModstamp,
    CASE WHEN copy = 0 AND gen.chance(n, 'customerio', 0.6) AND gen.chance(n, 'linked', 0.2)
        THEN printf('d9c1%08x', n * 4) END AS Cio_Id__c,
    round(gen.share(serial, 'score') * 100, 1) AS Score__c,
    n AS _person, seen_company AS _company
FROM written
ORDER BY SystemModstamp, Id;

INSERT INTO salesforce."Lead" BY NAME
WITH seen AS (
    SELECT p.*, p.n * 4 AS serial, gen.between_s(p.n, 'lead made', p.born_s, getvariable('until_s')) AS created_s,
        gen.chance(p.n, 'contact', 0.7) AND gen.chance(p.n, 'converted', 0.4) AS is_converted
    FROM truth.person p
    WHERE p.n >= getvariable('person_lo') AND p.n < getvariable('person_hi') AND gen.chance(p.n, 'lead', 0.25)
), changed AS (
    SELECT seen.*, c.name AS company_name, c.domain, c.industry, c.revenue, c.employees, c.city, c.country,
        gen.between_s(serial, 'lead changed', created_s, getvariable('until_s')) AS changed_s
    FROM seen
    LEFT JOIN truth.company c ON c.n = seen.company
)
SELECT
    gen.sfid('00Q', serial) AS Id, false AS IsDeleted,
    gen.written_name(last_name, last_name, serial, 'lead last', 0) AS LastName,
    gen.written_name(first_name, nickname, serial, 'lead first', 0.15) AS FirstName, title AS Title,
    coalesce(company_name, '[not provided]') AS Company, city AS City, country AS Country,
    CASE WHEN gen.chance(serial, 'lead phone', 0.5) THEN gen.written_phone(phone, gen.pick(serial, 'lead phone style', 7)) END AS Phone,
    CASE WHEN gen.chance(serial, 'lead mobile', 0.2) THEN gen.written_phone(mobile, gen.pick(serial, 'lead mobile style', 7)) END AS MobilePhone,
    CASE
        WHEN gen.chance(serial, 'lead personal', 0.15) THEN gen.written_email(personal_email, serial, 'lead email', 0.02)
        ELSE gen.written_email(email, serial, 'lead email', 0.03) END AS Email,
    CASE WHEN gen.chance(serial, 'lead website', 0.4) THEN concat('https://', domain) END AS Website,
    ['Web', 'Webinar', 'Purchased List', 'Trade Show'][1 + gen.pick(serial, 'lead source', 4)] AS LeadSource,
    CASE WHEN is_converted THEN 'Closed - Converted'
        ELSE ['Open - Not Contacted', 'Working - Contacted', 'Closed - Not Converted'][1 + gen.pick(serial, 'lead status', 3)] END AS Status,
    industry AS Industry, ['Hot', 'Warm', 'Cold', NULL][1 + gen.pick(serial, 'rating', 4)] AS Rating,
    revenue AS AnnualRevenue, employees AS NumberOfEmployees,
    gen.sfid('005', gen.pick(serial, 'lead owner', getvariable('users'))) AS OwnerId,
    gen.chance(serial, 'lead opted out', 0.04) AS HasOptedOutOfEmail,
    is_converted AS IsConverted, CASE WHEN is_converted THEN gen.moment(changed_s)::DATE END AS ConvertedDate,
    CASE WHEN is_converted AND company IS NOT NULL AND gen.chance(company, 'account', 0.96) THEN gen.sfid('001', company * 4) END AS ConvertedAccountId,
    CASE WHEN is_converted THEN gen.sfid('003', n * 4) END AS ConvertedContactId,
    gen.moment(created_s) AS CreatedDate, gen.sfid('005', 0) AS CreatedById,
    gen.moment(changed_s) AS LastModifiedDate, gen.sfid('005', 0) AS LastModifiedById, gen.moment(changed_s) AS SystemModstamp,
    n AS _person, company AS _company
FROM changed
ORDER BY SystemModstamp, Id;

INSERT INTO salesforce."Opportunity" BY NAME
WITH seen AS (
    SELECT c.*, c.n * 4 + deal.i AS serial, gen.between_s(c.n * 4 + deal.i, 'deal made', c.born_s, getvariable('until_s')) AS created_s,
        gen.pick(c.n * 4 + deal.i, 'stage', 6) AS stage
    FROM truth.company c, range(0, 3) deal(i)
    WHERE c.n >= getvariable('company_lo') AND c.n < getvariable('company_hi') AND gen.chance(c.n, 'account', 0.96)
      AND gen.chance(c.n * 4 + deal.i, 'deal', 0.3)
), changed AS (
    SELECT *, gen.between_s(serial, 'deal changed', created_s, getvariable('until_s')) AS changed_s FROM seen
)
SELECT
    gen.sfid('006', serial) AS Id, false AS IsDeleted, gen.sfid('001', n * 4) AS AccountId,
    concat(name, ' - ', ['New', 'Expansion', 'Renewal'][1 + gen.pick(serial, 'deal kind', 3)]) AS Name,
    ['Prospecting', 'Qualification', 'Proposal/Price Quote', 'Negotiation/Review', 'Closed Won', 'Closed Lost'][1 + stage] AS StageName,
    round(2000 + 90000 * pow(gen.share(serial, 'amount'), 2), 2) AS Amount,
    [10.0, 20.0, 65.0, 80.0, 100.0, 0.0][1 + stage] AS Probability,
    (gen.moment(created_s) + to_days(30 + gen.pick(serial, 'close', 120)::INTEGER))::DATE AS CloseDate,
    ['New Customer', 'Existing Customer - Upgrade'][1 + gen.pick(serial, 'deal type', 2)] AS Type,
    ['Web', 'Partner Referral', NULL][1 + gen.pick(serial, 'deal source', 3)] AS LeadSource,
    stage >= 4 AS IsClosed, stage = 4 AS IsWon,
    gen.sfid('005', gen.pick(serial, 'deal owner', getvariable('users'))) AS OwnerId,
    gen.moment(created_s) AS CreatedDate, gen.sfid('005', 0) AS CreatedById,
    gen.moment(changed_s) AS LastModifiedDate, gen.sfid('005', 0) AS LastModifiedById, gen.moment(changed_s) AS SystemModstamp,
    n AS _company
FROM changed
ORDER BY SystemModstamp, Id;

INSERT INTO salesforce."Subscription__c" BY NAME
SELECT
    gen.sfid('a01', n) AS Id, false AS IsDeleted, concat('SUB-', lpad(n::VARCHAR, 6, '0')) AS Name,
    gen.sfid('005', gen.pick(n, 'subscription owner', getvariable('users'))) AS OwnerId,
    gen.sfid('001', n * 4) AS Account__c,
    ['Starter', 'Team', 'Business', 'Enterprise'][1 + gen.pick(n, 'plan', 4)] AS Plan__c,
    (5 + gen.pick(n, 'seats', 400))::DOUBLE AS Seats__c, round(50 + gen.share(n, 'monthly') * 5000, 2) AS Monthly_Amount__c,
    (gen.moment(getvariable('until_s')) + to_days(gen.pick(n, 'renewal', 365)::INTEGER))::DATE AS Renewal_Date__c,
    gen.moment(born_s) AS CreatedDate, gen.sfid('005', 0) AS CreatedById,
    gen.moment(changed_s) AS LastModifiedDate, gen.sfid('005', 0) AS LastModifiedById, gen.moment(changed_s) AS SystemModstamp,
    n AS _company
FROM (
    SELECT *, gen.between_s(n, 'subscription changed', born_s, getvariable('until_s')) AS changed_s FROM truth.company
    WHERE n >= getvariable('company_lo') AND n < getvariable('company_hi') AND gen.chance(n, 'account', 0.96)
      AND gen.chance(n, 'subscribes', 0.3)
)
ORDER BY SystemModstamp, Id;

-- Tasks and events about the contacts and leads of people [person_lo, person_hi).
CREATE OR REPLACE TEMP VIEW about AS
SELECT Id AS who, AccountId AS account, _person, _company, epoch(CreatedDate)::BIGINT AS known_s, _person * 16 AS base
FROM salesforce."Contact"
WHERE _person >= getvariable('person_lo') AND _person < getvariable('person_hi') AND NOT IsDeleted
UNION ALL
SELECT Id, NULL, _person, _company, epoch(CreatedDate)::BIGINT, _person * 16 + 8
FROM salesforce."Lead"
WHERE _person >= getvariable('person_lo') AND _person < getvariable('person_hi') AND NOT IsConverted AND NOT IsDeleted;

-- A duplicate contact gets its own serials through its id's place among the person's records.
INSERT INTO salesforce."Task" BY NAME
WITH numbered AS (
    SELECT *, base + 3 * (row_number() OVER (PARTITION BY base ORDER BY who) - 1) AS first_serial FROM about
), seen AS (
    SELECT numbered.*, first_serial + times.i AS serial FROM numbered, range(0, 3) times(i)
    WHERE gen.chance(first_serial + times.i, 'task', 0.3)
), changed AS (
    SELECT *, gen.between_s(serial, 'task made', known_s, getvariable('until_s')) AS created_s,
        gen.pick(serial, 'task kind', 4) AS kind, gen.chance(serial, 'done', 0.75) AS is_closed
    FROM seen
), dated AS (
    SELECT *, gen.between_s(serial, 'task changed', created_s, getvariable('until_s')) AS changed_s FROM changed
)
SELECT
    gen.sfid('00T', serial) AS Id, false AS IsDeleted, who AS WhoId, account AS WhatId, account AS AccountId,
    ['Call about pricing', 'Email: following up', 'Send the contract', 'LinkedIn message'][1 + kind] AS Subject,
    (gen.moment(created_s) + to_days(gen.pick(serial, 'due', 10)::INTEGER))::DATE AS ActivityDate,
    CASE WHEN is_closed THEN 'Completed' ELSE 'Not Started' END AS Status, ['Normal', 'High'][1 + gen.pick(serial, 'priority', 2)] AS Priority,
    gen.sfid('005', gen.pick(serial, 'task owner', getvariable('users'))) AS OwnerId,
    CASE WHEN kind = 1 THEN concat('Hello,', chr(13), chr(10), 'as agreed. "Regards"') END AS Description,
    is_closed AS IsClosed, ['Call', 'Email', NULL, 'Other'][1 + kind] AS Type, ['Call', 'Email', 'Task', 'LinkedIn'][1 + kind] AS TaskSubtype,
    CASE WHEN kind = 0 AND is_closed THEN 30 + gen.pick(serial, 'talk', 1800) END AS CallDurationInSeconds,
    CASE WHEN is_closed THEN gen.moment(changed_s) END AS CompletedDateTime,
    gen.moment(created_s) AS CreatedDate, gen.sfid('005', 0) AS CreatedById,
    gen.moment(changed_s) AS LastModifiedDate, gen.sfid('005', 0) AS LastModifiedById, gen.moment(changed_s) AS SystemModstamp,
    _person, _company
FROM dated
ORDER BY SystemModstamp, Id;

INSERT INTO salesforce."Event" BY NAME
WITH seen AS (
    SELECT about.*, base + (row_number() OVER (PARTITION BY base ORDER BY who) - 1) AS serial FROM about
), changed AS (
    SELECT *, gen.between_s(serial, 'event made', known_s, getvariable('until_s')) AS created_s FROM seen WHERE gen.chance(serial, 'event', 0.2)
), dated AS (
    SELECT *, gen.between_s(serial, 'event changed', created_s, getvariable('until_s')) AS changed_s,
        created_s + 86400 * gen.pick(serial, 'ahead', 14) - created_s % 1800 AS starts_s, 30 * (1 + gen.pick(serial, 'length', 3)) AS minutes
    FROM changed
)
SELECT
    gen.sfid('00U', serial) AS Id, false AS IsDeleted, who AS WhoId, account AS WhatId, account AS AccountId,
    ['Discovery call', 'Demo', 'Quarterly review'][1 + gen.pick(serial, 'event kind', 3)] AS Subject, 'Video' AS Location,
    gen.moment(starts_s) AS StartDateTime, gen.moment(starts_s + minutes * 60) AS EndDateTime, minutes AS DurationInMinutes,
    false AS IsAllDayEvent, gen.sfid('005', gen.pick(serial, 'event owner', getvariable('users'))) AS OwnerId, 'Meeting' AS Type,
    gen.moment(created_s) AS CreatedDate, gen.sfid('005', 0) AS CreatedById,
    gen.moment(changed_s) AS LastModifiedDate, gen.sfid('005', 0) AS LastModifiedById, gen.moment(changed_s) AS SystemModstamp,
    _person, _company
FROM dated
ORDER BY SystemModstamp, Id;
DROP VIEW about;
