-- What a server must have before anything is created in it.
SELECT
    current_setting('server_version_num')::integer AS version_number,
    current_setting('server_version') AS version,
    ARRAY(
        SELECT wanted.name
        FROM unnest(%(extensions)s::text[]) AS wanted (name)
        WHERE NOT EXISTS (SELECT FROM pg_available_extensions AS available WHERE available.name = wanted.name)
    ) AS missing
