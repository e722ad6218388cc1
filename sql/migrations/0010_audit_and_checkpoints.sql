-- Module H: audit and observability.

SET LOCAL ROLE neanelu_owner;

-- audit_logs --------------------------------------------------------------------------------------

CREATE TABLE audit_logs (
    id          UUID         DEFAULT uuidv7(),
    shop_id     UUID,
    user_id     UUID,
    action      VARCHAR(20)  NOT NULL,
    entity_type VARCHAR(100) NOT NULL,
    entity_id   UUID         NOT NULL,
    old_values  JSONB,
    new_values  JSONB,
    ip_address  INET,
    user_agent  TEXT,
    request_id  VARCHAR(100),
    created_at  TIMESTAMPTZ  DEFAULT now() NOT NULL,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

CREATE INDEX idx_audit_shop ON audit_logs (shop_id, created_at DESC);
CREATE INDEX idx_audit_entity ON audit_logs (entity_type, entity_id);
CREATE INDEX idx_audit_user ON audit_logs (user_id);
CREATE INDEX idx_audit_request ON audit_logs (request_id);

COMMENT ON TABLE audit_logs IS
    'Who changed what and when. Monthly partitions by created_at.';
COMMENT ON COLUMN audit_logs.id IS 'Primary key';
COMMENT ON COLUMN audit_logs.shop_id IS 'Tenant context';
COMMENT ON COLUMN audit_logs.user_id IS 'Who made the change';
COMMENT ON COLUMN audit_logs.action IS 'INSERT/UPDATE/DELETE';
COMMENT ON COLUMN audit_logs.entity_type IS 'Table name (TG_TABLE_NAME)';
COMMENT ON COLUMN audit_logs.entity_id IS 'Record ID (row id)';
COMMENT ON COLUMN audit_logs.old_values IS 'Previous state (NULL for INSERT)';
COMMENT ON COLUMN audit_logs.new_values IS 'New state (NULL for DELETE)';
COMMENT ON COLUMN audit_logs.ip_address IS 'Address that the change came from';
COMMENT ON COLUMN audit_logs.user_agent IS 'Client that the change came from';
COMMENT ON COLUMN audit_logs.request_id IS 'Trace correlation (app.trace_id)';
COMMENT ON COLUMN audit_logs.created_at IS 'When the row was created here';

-- sync_checkpoints --------------------------------------------------------------------------------

CREATE TABLE sync_checkpoints (
    id             UUID         DEFAULT uuidv7() PRIMARY KEY,
    shop_id        UUID         NOT NULL REFERENCES shops (id),
    resource_type  VARCHAR(50)  NOT NULL,
    last_sync_at   TIMESTAMPTZ  NOT NULL,
    last_cursor    VARCHAR(255),
    records_synced INTEGER      DEFAULT 0,
    status         VARCHAR(20)  DEFAULT 'idle',
    error_message  TEXT,
    metadata       JSONB        DEFAULT '{}',
    created_at     TIMESTAMPTZ  DEFAULT now(),
    updated_at     TIMESTAMPTZ  DEFAULT now()
);

CREATE UNIQUE INDEX idx_checkpoints_shop_resource ON sync_checkpoints (shop_id, resource_type);

COMMENT ON TABLE sync_checkpoints IS
    'How far each resource of a shop is synchronized.';
COMMENT ON COLUMN sync_checkpoints.id IS 'Primary key';
COMMENT ON COLUMN sync_checkpoints.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN sync_checkpoints.resource_type IS 'products/orders/customers';
COMMENT ON COLUMN sync_checkpoints.last_sync_at IS 'Up to when everything is synchronized';
COMMENT ON COLUMN sync_checkpoints.last_cursor IS 'Pagination cursor';
COMMENT ON COLUMN sync_checkpoints.records_synced IS 'Records synchronized so far';
COMMENT ON COLUMN sync_checkpoints.status IS 'idle/running/error';
COMMENT ON COLUMN sync_checkpoints.error_message IS 'What went wrong, if it did';
COMMENT ON COLUMN sync_checkpoints.metadata IS 'Further facts about the synchronization';
COMMENT ON COLUMN sync_checkpoints.created_at IS 'When the row was created here';
COMMENT ON COLUMN sync_checkpoints.updated_at IS 'When the row was last changed here';
