-- Campaigns, newsletters and segments; made once.
INSERT INTO customerio.campaign
SELECT r.i, ['Onboarding', 'Trial ending', 'Win back', 'Renewal', 'Feature tour', 'Webinar'][r.i],
    CASE WHEN r.i = 3 THEN 'stopped' ELSE 'running' END, 'segment', getvariable('from_s') + r.i * 86400,
    getvariable('until_s') - r.i * 86400 * 9, getvariable('from_s') + r.i * 90000, ['lifecycle']
FROM range(1, 7) r(i);

INSERT INTO customerio.newsletter
SELECT r.i, concat('Digest ', r.i), 'email', getvariable('from_s') + r.i * 86400, getvariable('until_s') - r.i * 86400,
    getvariable('until_s') - r.i * 86400
FROM range(1, 4) r(i);

INSERT INTO customerio.segment
SELECT r.i, ['Everyone', 'On the business plan', 'Unsubscribed', 'Nobody', 'Team plan'][r.i], '', CASE WHEN r.i = 5 THEN 'build' ELSE 'finished' END,
    'dynamic', [], getvariable('from_s') + r.i * 3600, getvariable('until_s') - r.i * 86400
FROM range(1, 6) r(i);
