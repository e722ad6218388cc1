-- A load was merged, but rows were rejected of which nobody can tell when they changed: what it asked for does not count,
-- and is asked for again.
UPDATE sync_checkpoints c
   SET status = 'error',
       error_message = %(error)s,
       updated_at = now()
  FROM bulk_runs r
 WHERE r.id = %(run_id)s
   AND r.cursor_state ? 'bulk'
   AND c.shop_id = r.shop_id
   AND c.resource_type = r.query_type
