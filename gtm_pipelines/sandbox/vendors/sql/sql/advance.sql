-- A day in the back office.

-- count: rows_changed
UPDATE sql.people SET score = least(score + 1, 99999), updated_at = gen.today(_person, 'ledger')
WHERE NOT deleted AND gen.chance(_person, gen.salted('ledger'), 0.03);

-- count: rows_moved
UPDATE sql.people AS p
SET email = m.new_email, _company = m.new_company, updated_at = gen.moment(getvariable('previous_s') + 1 + m.second),
    account_id = CASE WHEN gen.chance(m.new_company, 'ledger', 0.65) THEN 10000 + m.new_company END
FROM moved m WHERE m.n = p._person AND NOT p.deleted AND gen.chance(p._person, gen.salted('ledger moved'), 0.8);

-- count: rows_by_night
UPDATE sql.people SET updated_at = gen.moment(getvariable('previous_s') + 10800)
WHERE NOT deleted AND gen.chance(_person, gen.salted('nightly'), getvariable('mass_rate'));

-- A long transaction commits now what it stamped before the last step was over.
-- count: rows_late
UPDATE sql.people SET phone = NULL, updated_at = gen.late(_person)
WHERE NOT deleted AND updated_at < gen.moment(getvariable('previous_s') - 3600)
  AND gen.chance(_person, gen.salted('ledger late'), getvariable('rare_rate'));

-- count: rows_marked_deleted
UPDATE sql.people SET deleted = true, updated_at = gen.today(_person, 'ledger gone')
WHERE NOT deleted AND gen.chance(_person, gen.salted('ledger gone'), getvariable('rare_rate'));

-- count: account_rows_changed
UPDATE sql.accounts SET revenue = revenue + 1000, updated_at = gen.today(_company, 'ledger')
WHERE NOT deleted AND gen.chance(_company, gen.salted('ledger'), 0.05);

-- count: account_rows_marked_deleted
UPDATE sql.accounts SET deleted = true, updated_at = gen.today(_company, 'ledger gone')
WHERE NOT deleted AND gen.chance(_company, gen.salted('ledger gone'), getvariable('rare_rate'));

-- count: rows_deleted
DELETE FROM sql.activities WHERE id IN (
    SELECT id FROM sql.activities ORDER BY gen.h(id, gen.salted('shredded')) LIMIT greatest(1, getvariable('people') // 2000));
