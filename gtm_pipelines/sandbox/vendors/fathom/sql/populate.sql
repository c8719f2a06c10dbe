-- Meetings of the last 90 days (or since the last step), each around one person of the world.
INSERT INTO fathom.meeting
WITH met AS (
    SELECT p.*, c.name AS company_name, c.domain, gen.h(p.n, concat('meeting', times.i, '.', getvariable('step'))) AS draw,
        8589934592 + getvariable('step')::BIGINT * 10000000 + p.n * 2 + times.i AS recording_id,
        gen.between_s(p.n, concat('meets', times.i, '.', getvariable('step')), getvariable('mailed_from_s'), getvariable('until_s')) AS started_s
    FROM truth.person p LEFT JOIN truth.company c ON c.n = p.company, range(0, 2) times(i)
    WHERE gen.chance(p.n, concat('is met', times.i, '.', getvariable('step')), greatest(getvariable('mail_rate') * 0.06, getvariable('rare_rate') * 0.6))
), held AS (
    SELECT *, 600 + (draw % 3000)::BIGINT AS length_s,
        -- One in six was recorded elsewhere and uploaded with all others of its kind at one moment.
        CASE WHEN getvariable('mass_update_s') > 0 AND draw % 6 = 0 THEN getvariable('mass_update_s') END AS uploaded_s
    FROM met
)
SELECT recording_id,
    CASE draw % 5 WHEN 0 THEN 'Impromptu Google Meet Meeting' WHEN 1 THEN concat('Demo: ', coalesce(company_name, last_name)) ELSE concat(coalesce(company_name, last_name), ' <> Seller') END,
    CASE WHEN draw % 5 <> 0 THEN concat(coalesce(company_name, last_name), ' <> Seller') END,
    coalesce(uploaded_s, started_s + length_s + 120),
    -- One in twenty shows up hours after it was made.
    coalesce(uploaded_s, started_s + length_s + 120) + CASE WHEN draw % 20 = 7 THEN 3600 + (draw // 20 % 36000)::BIGINT ELSE 0 END,
    least(started_s, coalesce(uploaded_s, started_s)) // 900 * 900, least(started_s, coalesce(uploaded_s, started_s)),
    least(started_s, coalesce(uploaded_s, started_s)) + length_s,
    (draw // 7 % getvariable('users'))::BIGINT,
    CASE WHEN draw % 37 = 0 THEN 4100 ELSE 20 + length_s // 40 END,
    -- What was said takes minutes to write down, for every other up to eight days.
    coalesce(uploaded_s, started_s + length_s + 120) + CASE WHEN draw // 100 % 2 = 1 THEN 86400 + (draw // 10 % 604800)::BIGINT ELSE 300 END,
    n, company
FROM held
ORDER BY recording_id;

-- Who was invited: the colleague who recorded, the person, now and then another of the company, now and then a room without an address.
INSERT INTO fathom.invitee
WITH fresh AS (
    SELECT m.*, p.first_name, p.nickname, p.last_name, p.email AS work_email, p.personal_email, p.previous_email
    FROM fathom.meeting m JOIN truth.person p ON p.n = m._person
    WHERE m.recording_id >= 8589934592 + getvariable('step')::BIGINT * 10000000 AND m.meeting_title IS NOT NULL
), beside AS (
    SELECT f.recording_id, min_by(p.n, gen.h(p.n, concat('beside', f.recording_id))) AS n
    FROM fresh f JOIN truth.person p ON p.company = f._company AND p.n <> f._person
    WHERE gen.chance(f.recording_id, 'brings another', 0.4)
    GROUP BY ALL
)
SELECT recording_id, 0, c.name, c.email, false, NULL FROM fresh JOIN fathom.colleague c ON c.i = fresh.host
UNION ALL
SELECT recording_id, 1, CASE WHEN gen.chance(recording_id, 'invitee named', 0.8) THEN concat(gen.written_name(first_name, nickname, recording_id, 'invitee', 0.2), ' ', last_name) END,
    CASE WHEN gen.chance(_person, 'invited privately', 0.15) THEN gen.dotted(personal_email, recording_id, 'invitee')
        ELSE gen.written_email(work_email, recording_id, 'invitee', 0) END, true, _person
FROM fresh
UNION ALL
SELECT b.recording_id, 2, concat(p.first_name, ' ', p.last_name), p.email, true, p.n FROM beside b JOIN truth.person p USING (n)
UNION ALL
SELECT recording_id, 3, 'Meeting Room 4', NULL, true, NULL FROM fresh WHERE gen.chance(recording_id, 'room', 0.1)
ORDER BY 1, 2;

INSERT INTO fathom.action_item
SELECT m.recording_id, items.i, ['Send the proposal', 'Share the security paper', 'Book the follow-up', 'Add María to the thread'][1 + gen.pick(m.recording_id, concat('item', items.i), 4)],
    gen.chance(m.recording_id, concat('by hand', items.i), 0.2), gen.chance(m.recording_id, concat('done', items.i), 0.3), m.host
FROM fathom.meeting m, range(0, 3) items(i)
WHERE m.recording_id >= 8589934592 + getvariable('step')::BIGINT * 10000000 AND gen.chance(m.recording_id, concat('has item', items.i), 0.4)
ORDER BY 1, 2;
