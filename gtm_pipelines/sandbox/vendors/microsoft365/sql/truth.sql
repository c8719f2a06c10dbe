-- One row per record that can be served now. What lies in a mailbox is known by the mailbox too.
SELECT 'users', id, false, NULL::BIGINT, NULL::BIGINT FROM microsoft365.account WHERE NOT is_deleted
UNION ALL SELECT 'events', concat(a.id, ':', microsoft365.event_id(e.hash)), false, NULL, NULL
    FROM microsoft365.event e JOIN microsoft365.account a ON a.n = e.mailbox WHERE a.is_enabled AND NOT e.is_removed
UNION ALL SELECT 'messages', concat(a.id, ':', microsoft365.message_id(m.hash)), false, NULL, NULL
    FROM microsoft365.message m JOIN microsoft365.account a ON a.n = m.mailbox WHERE a.is_enabled AND NOT m.is_removed
-- Not records of their own: the addresses that meetings and mails name, by which the people behind them are known.
UNION ALL SELECT DISTINCT 'correspondents', lower(address), false, n, NULL::BIGINT FROM (
    SELECT p.address, p.n FROM (SELECT unnest(people, recursive := true) FROM microsoft365.event WHERE NOT is_removed) p(name, address, n)
    UNION ALL
    SELECT CASE WHEN sender.address LIKE '%@seller%' THEN recipients[1].address ELSE sender.address END, _person
    FROM microsoft365.message WHERE NOT is_removed AND _person IS NOT NULL
)
