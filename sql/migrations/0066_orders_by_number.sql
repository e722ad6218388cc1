-- An order is named in REST's bodies by its number alone (`"order_id": 1`): that is written over, too. And what records
-- of customers kept as hashes of one value each goes: a telephone has so few possibilities that all can be tried.

UPDATE pipeline.redactions SET proof = proof - 'hashes' WHERE kind = 'customer' AND proof ? 'hashes';

UPDATE audit_logs
   SET new_values = new_values #- '{proof,hashes}'
 WHERE entity_type = 'redaction/customer'
   AND new_values -> 'proof' ? 'hashes';

SET LOCAL ROLE neanelu_owner;

CREATE OR REPLACE FUNCTION pipeline.masked(value JSONB, pattern TEXT, mask TEXT) RETURNS JSONB
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE jsonb_typeof(value)
        WHEN 'string' THEN to_jsonb(regexp_replace(value #>> '{}', pattern, mask, 'gi'))
        WHEN 'number' THEN CASE WHEN value #>> '{}' ~* pattern THEN to_jsonb(mask) ELSE value END
        WHEN 'array' THEN (
            SELECT COALESCE(jsonb_agg(pipeline.masked(item.value, pattern, mask) ORDER BY item.place), '[]')
            FROM jsonb_array_elements(value) WITH ORDINALITY AS item (value, place)
        )
        WHEN 'object' THEN (
            SELECT COALESCE(
                jsonb_object_agg(
                    regexp_replace(member.key, pattern, mask, 'gi'),
                    -- A short number means an order only beside its key.
                    CASE WHEN member.key ~* 'orders?_?id$'
                              AND jsonb_typeof(member.value) IN ('number', 'string')
                              AND to_jsonb(member.key)::text || ': ' || member.value::text ~* pattern
                         THEN to_jsonb(mask)
                         ELSE pipeline.masked(member.value, pattern, mask)
                    END
                ),
                '{}'
            )
            FROM jsonb_each(value) AS member
        )
        ELSE value
    END;
END
$$;

CREATE OR REPLACE FUNCTION pipeline.pattern_in(said TEXT, pattern TEXT, orders JSONB) RETURNS TEXT
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    behind CONSTANT TEXT := 'order(?:s?(?:\\*/)+|s?_?id\\*"\s*:\s*\\*"?)';
    before CONSTANT TEXT := '(?<![0-9a-z_/.-])';
    after  CONSTANT TEXT := '(?![0-9a-z_-]|\.[0-9])';
    named TEXT[];
    alone TEXT[];
BEGIN
    SELECT array_agg(DISTINCT found.part[1]) INTO named
      FROM regexp_matches(said, behind || '([0-9]+)', 'gi') AS found (part)
     WHERE orders ? found.part[1];
    SELECT array_agg(DISTINCT found.part[1]) INTO alone
      FROM regexp_matches(said, before || '([0-9]{12,})' || after, 'gi') AS found (part)
     WHERE orders ? found.part[1];
    RETURN concat_ws('|',
        NULLIF(pattern, ''),
        CASE WHEN cardinality(named) > 500 THEN behind || '[0-9]+'
             ELSE behind || '(?:' || array_to_string(named, '|') || ')(?![0-9])'
        END,
        CASE WHEN cardinality(alone) > 500 THEN before || '[0-9]{12,}' || after
             ELSE before || '(?:' || array_to_string(alone, '|') || ')' || after
        END);
END
$$;
