-- An event that was set aside can be closed by a person, who says why: it is counted no more and never tried again. What
-- they said outlives the event and its key, which go when they are past their time.

SET LOCAL ROLE neanelu_owner;

ALTER TABLE pipeline.webhook_keys
    DROP CONSTRAINT webhook_keys_state_check,
    ADD CONSTRAINT webhook_keys_state_check CHECK (state IN ('new', 'done', 'waiting', 'aside', 'dismissed'));

COMMENT ON COLUMN pipeline.webhook_keys.state IS
    'new: to be processed; done; waiting: for the step that answers it; aside: failed for good, processing_error says '
    'why; dismissed: a person has closed it, pipeline.dismissals says why';

-- What a person wrote may name somebody: as of every table of shops, a redaction searches it, and takes the shop's rows.
CREATE TABLE pipeline.dismissals (
    idempotency_key VARCHAR(255) PRIMARY KEY,
    shop_id         UUID         REFERENCES shops (id),
    topic           VARCHAR(100) NOT NULL,
    received_at     TIMESTAMPTZ  NOT NULL,
    because         TEXT         NOT NULL,
    dismissed_at    TIMESTAMPTZ  NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX idx_dismissals_shop ON pipeline.dismissals (shop_id);

COMMENT ON TABLE pipeline.dismissals IS
    'Webhook events that were set aside and that a person has closed: nothing was done about them';
COMMENT ON COLUMN pipeline.dismissals.idempotency_key IS 'X-Shopify-Webhook-Id of the event';
COMMENT ON COLUMN pipeline.dismissals.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.dismissals.topic IS 'What the event was about';
COMMENT ON COLUMN pipeline.dismissals.received_at IS 'When it came';
COMMENT ON COLUMN pipeline.dismissals.because IS 'Why it was closed, in the words of whoever did';
COMMENT ON COLUMN pipeline.dismissals.dismissed_at IS 'When it was closed';

ALTER TABLE pipeline.dismissals ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.dismissals FORCE ROW LEVEL SECURITY;
CREATE POLICY dismissals_tenant_isolation ON pipeline.dismissals
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

GRANT SELECT, INSERT, UPDATE, DELETE ON pipeline.dismissals TO neanelu_pipeline;
GRANT SELECT ON pipeline.dismissals TO neanelu_tenant;
