-- Topics and audiences; made once. The last audience has never been built.
INSERT INTO delivr.topic VALUES
    ('4eyes_100101', 'Customer Data Platforms', 'Marketing Technology'), ('4eyes_100102', 'Revenue Operations', 'Sales'),
    ('4eyes_100103', 'Data Warehousing', 'Data & Analytics'), ('4eyes_100104', 'Identity Resolution', 'Marketing Technology');
INSERT INTO delivr.audience
SELECT 100 + r.i, ['Website visitors', 'Researching us', 'Uploaded list', 'Being drafted'][r.i],
    ['pixel', 'intents', 'list', 'elixir'][r.i], 'Persona', CASE WHEN r.i = 4 THEN 'Pending' ELSE 'Completed' END,
    getvariable('from_s') + r.i * 86400, CASE WHEN r.i < 4 THEN getvariable('until_s') - r.i * 3600 END
FROM range(1, 5) r(i);
