INSERT INTO sync_checkpoints AS c (shop_id, resource_type, last_sync_at, records_synced)
VALUES (%(shop_id)s, 'deletion_events', %(through)s, %(events)s)
    ON CONFLICT (shop_id, resource_type) DO UPDATE
   SET last_sync_at = GREATEST(c.last_sync_at, excluded.last_sync_at),
       records_synced = excluded.records_synced,
       status = DEFAULT,
       error_message = NULL,
       updated_at = now()
