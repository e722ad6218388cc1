-- Whoever was forgotten stays forgotten: what older exports and events say of them is not let in again. And a request
-- that cannot be answered says why, and is tried again more and more rarely.

SET LOCAL ROLE neanelu_owner;

CREATE TABLE pipeline.forgotten (
    shop_id      UUID        NOT NULL REFERENCES shops (id),
    digest       BYTEA       NOT NULL,
    forgotten_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (shop_id, digest)
);

COMMENT ON TABLE pipeline.forgotten IS
    'Digests of the customers and orders that were redacted: what was read before that moment does not bring them back';
COMMENT ON COLUMN pipeline.forgotten.shop_id IS 'Whose customer it was';
COMMENT ON COLUMN pipeline.forgotten.digest IS
    'SHA-256 of the shop''s id with the GID or the email address: recognizes whoever is named again, and names nobody';
COMMENT ON COLUMN pipeline.forgotten.forgotten_at IS 'When their rows were deleted';

ALTER TABLE pipeline.forgotten ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.forgotten FORCE ROW LEVEL SECURITY;
CREATE POLICY forgotten_tenant_isolation ON pipeline.forgotten
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

GRANT SELECT, INSERT, UPDATE, DELETE ON pipeline.forgotten TO neanelu_pipeline;
GRANT SELECT ON pipeline.forgotten TO neanelu_tenant;

CREATE FUNCTION pipeline.digest_of(shop_id UUID, said TEXT) RETURNS BYTEA
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN sha256(convert_to(shop_id::text || ' ' || lower(said), 'UTF8'));

COMMENT ON FUNCTION pipeline.digest_of(UUID, TEXT) IS
    'What is remembered of a GID, or of an email address (`email:…`), of somebody who was forgotten';

ALTER TABLE pipeline.redactions
    DROP CONSTRAINT redactions_status_check,
    ADD CONSTRAINT redactions_status_check
        CHECK (status IN ('running', 'hindered', 'completed', 'residue', 'refused')),
    ADD COLUMN tried_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp();

COMMENT ON COLUMN pipeline.redactions.status IS
    'running; hindered: error says why it failed, it is tried again; completed; residue: something was found afterwards, '
    'proof says where; refused: error says why';
COMMENT ON COLUMN pipeline.redactions.error IS 'Why it was refused, or failed the last time';
COMMENT ON COLUMN pipeline.redactions.tried_at IS 'When it was last begun';
