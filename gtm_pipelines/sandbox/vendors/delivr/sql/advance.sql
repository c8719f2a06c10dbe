-- A day at Delivr.ai: who joins and leaves audiences, new titles, and every built audience is built anew.

-- count: audience_members_changed
UPDATE delivr.profile SET audiences = CASE WHEN list_contains(audiences, 101) THEN list_filter(audiences, lambda a: a <> 101)
    ELSE list_append(audiences, 101) END
WHERE gen.chance(_person, gen.salted('audience'), greatest(0.01, 4 / getvariable('people')));

-- count: visitors_moved
UPDATE delivr.profile AS p SET company_name = m.company_name, company_domain = c.domain, _company = m.new_company
FROM moved m JOIN truth.company c ON c.n = m.new_company
WHERE m.n = p._person;

UPDATE delivr.audience SET built_s = getvariable('until_s') - (id - 100) * 3600 WHERE status = 'Completed';

-- Two months of events are kept.
DELETE FROM delivr.event WHERE event_ms < (getvariable('until_s')::BIGINT - 60 * 86400) * 1000;
