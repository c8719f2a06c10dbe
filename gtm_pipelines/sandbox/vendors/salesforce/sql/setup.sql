-- The org itself and the people who use it; made once.
INSERT INTO salesforce."User" BY NAME
SELECT
    gen.sfid('005', r.n) AS Id, concat('user', r.n, '@seller.example') AS Username, l.name AS LastName, f.name AS FirstName,
    concat(gen.slug(f.name), '.', gen.slug(l.name), '@seller.example') AS Email,
    CASE r.n WHEN 0 THEN 'Integration' ELSE 'Account Executive' END AS Title, r.n % 17 <> 16 AS IsActive, 'Standard' AS UserType,
    gen.moment(getvariable('from_s') + r.n) AS CreatedDate, gen.sfid('005', 0) AS CreatedById,
    gen.moment(getvariable('from_s') + r.n * 60) AS LastModifiedDate, gen.sfid('005', 0) AS LastModifiedById,
    gen.moment(getvariable('from_s') + r.n * 60) AS SystemModstamp
FROM range(0, getvariable('users')) r(n)
JOIN gen.first_name f ON f.i = gen.pick(r.n, 'user first', getvariable('first_name_count'))
JOIN gen.last_name l ON l.i = gen.pick(r.n, 'user last', getvariable('last_name_count'))
ORDER BY SystemModstamp, Id;

INSERT INTO salesforce."Organization" BY NAME
SELECT gen.sfid('00D', 1) AS Id, 'Sandbox' AS Name, true AS IsSandbox, 'SBX1' AS InstanceName, 'Developer Edition' AS OrganizationType,
    gen.moment(getvariable('from_s')) AS CreatedDate, gen.moment(getvariable('from_s')) AS LastModifiedDate,
    gen.moment(getvariable('from_s')) AS SystemModstamp;

INSERT INTO salesforce.refresh_token VALUES (0, false, false);
