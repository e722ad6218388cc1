-- Shopify does not tell of this shop's deletions: until when they are known does not change.
INSERT INTO sync_checkpoints AS c (shop_id, resource_type, last_sync_at, status, error_message)
VALUES (%(shop_id)s, 'deletion_events', %(since)s, 'error', %(error)s)
    ON CONFLICT (shop_id, resource_type) DO UPDATE
   SET status = excluded.status,
       error_message = excluded.error_message,
       updated_at = now()
