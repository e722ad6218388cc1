-- Exports that are under way and due: for a sensor, shop by shop through idx_bulk_runs_shop_status. Those of shops that
-- left wait for them to come back: nobody can take them further, and they would stand before all others for ever.
SELECT r.id AS run_id, s.shopify_domain::text AS domain, r.query_type AS resource, r.reach, r.due
  FROM shops s
 CROSS JOIN LATERAL (SELECT b.id, b.query_type, b.cursor_state -> 'reach' AS reach,
                            (b.cursor_state -> 'bulk' ->> 'due')::timestamptz AS due
                       FROM bulk_runs b
                      WHERE b.shop_id = s.id
                        AND b.status = 'pending'
                        AND b.cursor_state ? 'bulk') r
 WHERE s.uninstalled_at IS NULL
   AND (r.due IS NULL OR r.due <= %(now)s)
 ORDER BY r.due NULLS FIRST, r.id
 LIMIT %(most)s
