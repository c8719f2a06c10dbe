-- What every other statement of the sandbox leans on. All chance comes from gen.h, which world.py makes with the seed
-- inside it: views are chance too, and must not depend on what a connection happens to know.
CREATE MACRO gen.pick(n, salt, choices) AS (gen.h(n, salt) % (choices)::UBIGINT)::BIGINT;
CREATE MACRO gen.share(n, salt) AS (gen.h(n, salt) % 1000003)::DOUBLE / 1000003;
CREATE MACRO gen.chance(n, salt, probability) AS gen.share(n, salt) < probability;
CREATE MACRO gen.moment(seconds) AS make_timestamp((seconds)::BIGINT * 1000000);
CREATE MACRO gen.between_s(n, salt, low, high) AS (low + floor(gen.share(n, salt) * greatest((high) - (low), 1)))::BIGINT;

-- Salesforce ids: 15 case-sensitive characters, then three that say which of them are upper case.
CREATE MACRO gen.digit(n) AS substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', 1 + (n)::INTEGER, 1);
CREATE MACRO gen.is_upper(n) AS ((n) BETWEEN 10 AND 35)::INTEGER;
CREATE MACRO gen.sfid(prefix, serial) AS concat(
    prefix, 'Hs00000',
    gen.digit((serial) // 14776336 % 62), gen.digit((serial) // 238328 % 62), gen.digit((serial) // 3844 % 62),
    gen.digit((serial) // 62 % 62), gen.digit((serial) % 62),
    CASE WHEN substr(prefix, 3, 1) BETWEEN 'A' AND 'Z' THEN 'MA' ELSE 'IA' END,
    substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345', 1
        + gen.is_upper((serial) // 14776336 % 62) + 2 * gen.is_upper((serial) // 238328 % 62)
        + 4 * gen.is_upper((serial) // 3844 % 62) + 8 * gen.is_upper((serial) // 62 % 62)
        + 16 * gen.is_upper((serial) % 62), 1));

-- How people write things.
CREATE MACRO gen.slug(txt) AS regexp_replace(lower(strip_accents(txt)), '[^a-z]', '', 'g');
CREATE MACRO gen.typo(txt) AS CASE WHEN length(txt) < 4 THEN txt
    ELSE concat(substr(txt, 1, 1), substr(txt, 3, 1), substr(txt, 2, 1), substr(txt, 4)) END;
CREATE MACRO gen.written_name(given, nickname, n, salt, informal) AS CASE
    WHEN gen.chance(n, concat(salt, ' informal'), informal) THEN nickname
    WHEN gen.chance(n, concat(salt, ' typo'), 0.01) THEN gen.typo(given)
    WHEN gen.chance(n, concat(salt, ' shout'), 0.02) THEN upper(given)
    ELSE given END;
CREATE MACRO gen.dotted(email, n, salt) AS CASE
    WHEN email LIKE '%@gmail.com' AND gen.chance(n, concat(salt, ' dots'), 0.4)
    THEN concat(replace(split_part(email, '@', 1), '.', ''), '@gmail.com') ELSE email END;
CREATE MACRO gen.written_email(email, n, salt, plus) AS CASE
    WHEN gen.chance(n, concat(salt, ' plus'), plus) THEN concat(split_part(email, '@', 1), '+news@', split_part(email, '@', 2))
    WHEN gen.chance(n, concat(salt, ' shout'), 0.04) THEN upper(email)
    WHEN gen.chance(n, concat(salt, ' capital'), 0.08) THEN concat(upper(email[1]), substr(email, 2))
    WHEN gen.chance(n, concat(salt, ' slip'), 0.003) THEN replace(email, '.com', '.con')
    ELSE gen.dotted(email, n, salt) END;
-- Numbers in use by nobody we know: an area code, an exchange of its own per purpose (555 and up), four digits.
CREATE MACRO gen.us_phone(area_code, serial, exchange) AS
    concat('+1', area_code, exchange + (serial) // 1160000, lpad(((serial) // 116 % 10000)::VARCHAR, 4, '0'));
CREATE MACRO gen.written_phone(e164, style) AS CASE
    WHEN e164 IS NULL THEN NULL
    WHEN e164 LIKE '+44%' THEN CASE style % 3
        WHEN 0 THEN concat('+44 ', e164[4:7], ' ', e164[8:13])
        WHEN 1 THEN concat('0044 ', e164[4:7], ' ', e164[8:13])
        ELSE e164 END
    ELSE CASE style % 7
        WHEN 0 THEN concat('(', e164[3:5], ') ', e164[6:8], '-', e164[9:12])
        WHEN 1 THEN concat(e164[3:5], '-', e164[6:8], '-', e164[9:12])
        WHEN 2 THEN concat('+1 ', e164[3:5], ' ', e164[6:8], ' ', e164[9:12])
        WHEN 3 THEN e164[3:12]
        WHEN 4 THEN e164
        WHEN 5 THEN concat('1.', e164[3:5], '.', e164[6:8], '.', e164[9:12])
        ELSE concat('(', e164[3:5], ') ', e164[6:8], '-', e164[9:12], ' x', 10 + style % 80) END
    END;

-- A step of time: chance differs from day to day, and what happens today happens after the last step and up to now.
CREATE MACRO gen.salted(salt) AS concat(salt, ' on day ', getvariable('step'));
CREATE MACRO gen.today_s(n, salt) AS gen.between_s(n, gen.salted(concat(salt, ' at')), getvariable('previous_s') + 1, getvariable('until_s'));
CREATE MACRO gen.today(n, salt) AS gen.moment(gen.today_s(n, salt));
-- Late: stamped in the last four minutes before the step began, some on its very second, yet not seen until now.
CREATE MACRO gen.late(n) AS gen.moment(getvariable('previous_s') - gen.pick(n, gen.salted('late by'), 5) * 60);
