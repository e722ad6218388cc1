-- The newest unfinished load of this shop and resource; the one that this Dagster run began, if it began one.
SELECT r.id, r.shop_id, s.shopify_domain::text, r.query_type, a.file_path, a.bytes_size, a.checksum
  FROM bulk_runs r
  JOIN shops s ON s.id = r.shop_id
  JOIN bulk_artifacts a ON a.bulk_run_id = r.id
 WHERE s.shopify_domain = %(shop_domain)s
   AND r.query_type = %(resource)s
   AND r.status = 'running'
 ORDER BY COALESCE(r.cursor_state->>'dagster_run_id' = %(dagster_run_id)s, false) DESC, r.created_at DESC, r.id DESC
 LIMIT 1
