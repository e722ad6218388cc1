-- Whose export a run is, and of what.
SELECT s.id, s.shopify_domain::text, r.query_type
  FROM bulk_runs r
  JOIN shops s ON s.id = r.shop_id
 WHERE r.id = %(run_id)s
   AND r.cursor_state ? 'bulk'
