-- What a redaction asks of many rows: whether one is a request that waits itself, and which of many orders a text
-- names.

SET LOCAL ROLE neanelu_owner;

CREATE FUNCTION pipeline.is_open_request(topic TEXT, key TEXT, besides UUID) RETURNS BOOLEAN
    LANGUAGE sql STABLE
RETURN topic IN ('customers/redact', 'shop/redact', 'customers/data_request')
   AND EXISTS (SELECT
                 FROM pipeline.webhook_keys k
                WHERE k.idempotency_key = key
                  AND k.state IN ('waiting', 'aside')
                  AND NOT EXISTS (SELECT
                                    FROM pipeline.redactions r
                                   WHERE r.id = besides
                                     AND r.request_key = k.idempotency_key));

COMMENT ON FUNCTION pipeline.is_open_request(TEXT, TEXT, UUID) IS
    'Whether an event (its topic, its key) is a privacy request that is not answered, other than the one of that act';

-- One expression of thousands of numbers is too much for PostgreSQL; those that stand in one text are few. Where they
-- are many, every order that the text names goes.
CREATE FUNCTION pipeline.pattern_in(said TEXT, pattern TEXT, orders JSONB) RETURNS TEXT
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    named TEXT[];
BEGIN
    SELECT array_agg(DISTINCT found.part[1]) INTO named
      FROM regexp_matches(said, 'orders?(?:\\*/)+([0-9]+)', 'gi') AS found (part)
     WHERE orders ? found.part[1];
    RETURN concat_ws('|',
        NULLIF(pattern, ''),
        CASE WHEN cardinality(named) > 500 THEN 'orders?(?:\\*/)+[0-9]+'
             ELSE 'orders?(?:\\*/)+(?:' || array_to_string(named, '|') || ')(?![0-9])'
        END);
END
$$;

COMMENT ON FUNCTION pipeline.pattern_in(TEXT, TEXT, JSONB) IS
    'The pattern, and those of the orders (the keys of an object) that this text names: what is written over in it';
