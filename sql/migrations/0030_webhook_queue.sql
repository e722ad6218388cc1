-- What the document's webhook_events has no column for: the moment at which the shop says that something happened, and
-- what is to become of an event. Kept beside the key: small rows, an index of the new ones only, and no rewriting of
-- payloads to say that one was taken.

SET LOCAL ROLE neanelu_owner;

ALTER TABLE pipeline.webhook_keys
    ADD COLUMN triggered_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    ADD COLUMN state        VARCHAR(10) NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done', 'waiting', 'aside'));

CREATE INDEX idx_webhook_keys_new ON pipeline.webhook_keys (triggered_at) WHERE state = 'new';
CREATE INDEX idx_webhook_keys_new_of_shop ON pipeline.webhook_keys (shop_id, triggered_at) WHERE state = 'new';

COMMENT ON COLUMN pipeline.webhook_keys.triggered_at IS
    'X-Shopify-Triggered-At: when it happened in the shop; events are processed in this order';
COMMENT ON COLUMN pipeline.webhook_keys.state IS
    'new: to be processed; done; waiting: for a step that is not there yet; aside: failed for good, processing_error says why';
