-- Resources of which a load failed in the last day and nothing completed since. After an export or a file, events that
-- were loaded are not enough; nor is a file that was cut off, or a removal after a load.
SELECT DISTINCT ON (s.shopify_domain, f.query_type)
       s.shopify_domain::text AS shop, f.query_type AS resource, f.error_message AS error
FROM bulk_runs f
JOIN shops s ON s.id = f.shop_id AND s.uninstalled_at IS NULL
WHERE f.status = 'failed'
  AND f.completed_at > now() - interval '1 day'
  AND NOT EXISTS (
      SELECT
      FROM bulk_runs c
      WHERE c.shop_id = f.shop_id
        AND c.query_type = f.query_type
        AND c.status = 'completed'
        AND c.completed_at > f.completed_at
        AND NOT coalesce(c.cursor_state ? 'cut_off', false)
        AND (c.operation_type NOT LIKE '%%\_REMOVAL' OR f.operation_type LIKE '%%\_REMOVAL')
        AND (c.cursor_state ? 'bulk'
             OR coalesce((c.cursor_state ->> 'snapshot')::boolean, true)
             OR NOT (f.cursor_state ? 'bulk' OR coalesce((f.cursor_state ->> 'snapshot')::boolean, true)))
  )
ORDER BY s.shopify_domain, f.query_type, f.completed_at DESC
