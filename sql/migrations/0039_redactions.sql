-- Persons and shops that had to be forgotten, or told what is known of them: what was done, and the proof of it.

SET LOCAL ROLE neanelu_owner;

CREATE TABLE pipeline.redactions (
    id           UUID         DEFAULT uuidv7() PRIMARY KEY,
    request_key  VARCHAR(255) NOT NULL UNIQUE,
    kind         VARCHAR(20)  NOT NULL CHECK (kind IN ('customer', 'shop', 'export')),
    of_shop      UUID,
    subject      JSONB,
    subject_hash VARCHAR(64)  NOT NULL,
    status       VARCHAR(20)  NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'completed', 'residue', 'refused')),
    attempts     INTEGER      NOT NULL DEFAULT 1,
    removed      JSONB        NOT NULL DEFAULT '{}',
    proof        JSONB,
    error        TEXT,
    started_at   TIMESTAMPTZ  NOT NULL DEFAULT clock_timestamp(),
    completed_at TIMESTAMPTZ
);

COMMENT ON TABLE pipeline.redactions IS
    'Redactions of customers and shops, and exports of what is known of a customer: what was done, and its proof';
COMMENT ON COLUMN pipeline.redactions.id IS 'Primary key';
COMMENT ON COLUMN pipeline.redactions.request_key IS 'What asked for it: the webhook''s idempotency key';
COMMENT ON COLUMN pipeline.redactions.kind IS 'customer, shop: forgotten; export: what is known of a customer';
COMMENT ON COLUMN pipeline.redactions.of_shop IS 'The shop; empty once the shop itself is forgotten';
COMMENT ON COLUMN pipeline.redactions.subject IS 'Who it is about, as long as it is under way; empty afterwards';
COMMENT ON COLUMN pipeline.redactions.subject_hash IS 'SHA-256 of who it was about, with the request''s key';
COMMENT ON COLUMN pipeline.redactions.status IS
    'running; completed; residue: something was found afterwards, proof says where; refused: error says why';
COMMENT ON COLUMN pipeline.redactions.attempts IS 'How often it was begun';
COMMENT ON COLUMN pipeline.redactions.removed IS 'Rows deleted or emptied by table, and files';
COMMENT ON COLUMN pipeline.redactions.proof IS 'What was searched afterwards, and what was found, without the values';
COMMENT ON COLUMN pipeline.redactions.error IS 'Why it was refused';
COMMENT ON COLUMN pipeline.redactions.started_at IS 'When it was begun';
COMMENT ON COLUMN pipeline.redactions.completed_at IS 'When its proof was written';

-- No tenant is told of it: there is no grant, and no policy that shows a row. So its column is not called shop_id.
ALTER TABLE pipeline.redactions ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.redactions FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON pipeline.redactions TO neanelu_pipeline;

-- Few events wait for a privacy step; the sensor looks at these alone.
CREATE INDEX idx_webhook_keys_waiting ON pipeline.webhook_keys (received_at) WHERE state = 'waiting';

-- Every text and number in a JSON value that holds what is sought is written over; keys as well.
CREATE FUNCTION pipeline.masked(value JSONB, pattern TEXT, mask TEXT) RETURNS JSONB
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
                    regexp_replace(member.key, pattern, mask, 'gi'), pipeline.masked(member.value, pattern, mask)
                ),
                '{}'
            )
            FROM jsonb_each(value) AS member
        )
        ELSE value
    END;
END
$$;

COMMENT ON FUNCTION pipeline.masked(JSONB, TEXT, TEXT) IS
    'A JSON value in which every text, number and key that holds what is sought is written over';
