-- The shops whose newest load of a resource failed or was refused. A load of events is not enough after one of an export
-- or a file: what that was to bring is still not there; nor is a file that was cut off.
SELECT s.shopify_domain::text AS shop, n.error_message AS error
  FROM shops s
 CROSS JOIN LATERAL (SELECT r.status, r.error_message
                       FROM bulk_runs r
                      WHERE r.shop_id = s.id
                        AND r.query_type = %(resource)s
                        AND r.status IN ('completed', 'failed')
                        AND r.completed_at IS NOT NULL
                        AND NOT COALESCE(r.cursor_state ? 'cut_off', false)
                        AND (r.cursor_state ? 'bulk'
                             OR COALESCE((r.cursor_state ->> 'snapshot')::boolean, true))
                      ORDER BY r.completed_at DESC
                      LIMIT 1) n
 WHERE s.uninstalled_at IS NULL
   AND n.status = 'failed'
 ORDER BY 1
