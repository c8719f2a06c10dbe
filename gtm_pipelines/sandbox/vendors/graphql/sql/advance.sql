-- A day in the product's database. What people did is in populate.sql.

-- count: users_changed
UPDATE graphql.person SET job_title = concat('Senior ', replace(coalesce(job_title, 'Manager'), 'Senior ', '')), updated_at = gen.today(_person, 'user')
WHERE deleted_at IS NULL AND gen.chance(_person, gen.salted('user'), 0.02);

-- count: users_moved
UPDATE graphql.person AS p
SET email = m.new_email, _company = m.new_company, updated_at = gen.moment(getvariable('previous_s') + 1 + m.second),
    company_id = CASE WHEN gen.chance(m.new_company, 'workspace', 0.7) THEN concat('gid://sandbox/Company/', m.new_company) END
FROM moved m WHERE m.n = p._person AND p.deleted_at IS NULL AND gen.chance(p._person, gen.salted('user moved'), 0.7);

-- count: users_imported
UPDATE graphql.person SET updated_at = gen.moment(getvariable('previous_s') + 7200)
WHERE deleted_at IS NULL AND gen.chance(_person, gen.salted('user import'), getvariable('mass_rate'));

-- count: users_late
UPDATE graphql.person SET phone = NULL, updated_at = gen.late(_person)
WHERE deleted_at IS NULL AND updated_at < gen.moment(getvariable('previous_s') - 3600)
  AND gen.chance(_person, gen.salted('user late'), getvariable('rare_rate'));

-- count: users_deleted
UPDATE graphql.person SET deleted_at = gen.today(_person, 'user gone'), updated_at = gen.today(_person, 'user gone')
WHERE deleted_at IS NULL AND gen.chance(_person, gen.salted('user gone'), getvariable('rare_rate'));

-- count: workspaces_changed
UPDATE graphql.company SET employees = employees + 1, updated_at = gen.today(_company, 'workspace')
WHERE gen.chance(_company, gen.salted('workspace'), 0.05);

-- count: workspaces_deleted
DELETE FROM graphql.company WHERE id IN (
    SELECT id FROM graphql.company ORDER BY gen.h(_company, gen.salted('workspace gone')) LIMIT greatest(1, getvariable('people') // 4000));
