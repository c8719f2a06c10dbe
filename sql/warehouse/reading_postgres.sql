-- How typed views on Postgres read a text of a payload: as DuckDB's TRY_CAST does in view_text, with null for what does not
-- fit. A twin, because Postgres has no cast that gives null, and is more generous ('tomorrow' is a moment to it, 'on' a truth).
-- A moment without a zone is one of UTC, whatever the reader's session says; what is finer than a microsecond is cut off.
CREATE OR REPLACE FUNCTION HERE.as_truth(told text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN lower(told) IN ('true', 't', '1', 'yes', 'y') THEN true
                WHEN lower(told) IN ('false', 'f', '0', 'no', 'n') THEN false END
$$;

CREATE OR REPLACE FUNCTION HERE.as_number(told text) RETURNS double precision LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN told ~* '^\s*[+-]?([0-9]+\.?[0-9]*(e[+-]?[0-9]+)?|\.[0-9]+(e[+-]?[0-9]+)?|nan|inf|infinity)\s*$'
                 AND pg_input_is_valid(told, 'double precision')
                THEN CAST(told AS double precision) END
$$;

CREATE OR REPLACE FUNCTION HERE.as_whole(told text) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN abs(HERE.as_number(told)) < 9.3e18
                THEN CASE WHEN CAST(told AS numeric) % 1 = 0
                           AND CAST(told AS numeric) BETWEEN -9223372036854775808 AND 9223372036854775807
                          THEN CAST(CAST(told AS numeric) AS bigint) END END
$$;

CREATE OR REPLACE FUNCTION HERE.as_moment_text(told text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN told ~ ('^[0-9]{4,6}[-/][0-9]{1,2}[-/][0-9]{1,2}'
                             || '([T ][0-9]{1,2}:[0-9]{2}(:[0-5][0-9](\.[0-9]*)?)?(Z| ?UTC|[+-][0-9]{2}(:?[0-9]{2})?)?)?$')
                 AND pg_input_is_valid(told, 'timestamp with time zone')
                THEN regexp_replace(told, '(\.[0-9]{6})[0-9]+', '\1') END
$$;

CREATE OR REPLACE FUNCTION HERE.as_moment(told text) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN told ~ ':[0-9]{2}.*(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)$'
                THEN CAST(HERE.as_moment_text(told) AS timestamptz)
                ELSE CAST(HERE.as_moment_text(told) AS timestamp) AT TIME ZONE 'UTC' END
$$;

CREATE OR REPLACE FUNCTION HERE.as_local(told text) RETURNS timestamp LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CAST(HERE.as_moment_text(told) AS timestamp)
$$;

CREATE OR REPLACE FUNCTION HERE.as_day(told text) RETURNS date LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CAST(substring(HERE.as_moment_text(told) FROM '^[0-9]+[-/][0-9]+[-/][0-9]+') AS date)
$$;

CREATE OR REPLACE FUNCTION HERE.as_epoch(told text) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN told !~* '[a-df-z]' AND HERE.as_number(told) IS NOT NULL
                THEN CASE WHEN HERE.as_number(told) / CASE WHEN abs(HERE.as_number(told)) >= EPOCH_MS THEN 1000 ELSE 1 END
                               BETWEEN -210866803200 AND 9224318015999
                          THEN to_timestamp(
                              HERE.as_number(told) / CASE WHEN abs(HERE.as_number(told)) >= EPOCH_MS THEN 1000 ELSE 1 END
                          ) END
                ELSE HERE.as_moment(told) END
$$;
