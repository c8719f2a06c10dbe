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
