-- A load by id, or the newest unfinished one of this shop and resource.
SELECT r.id, r.shop_id, s.shopify_domain::text, r.query_type, a.file_path, a.bytes_size, a.checksum
  FROM bulk_runs r
  JOIN shops s ON s.id = r.shop_id
  JOIN bulk_artifacts a ON a.bulk_run_id = r.id
 WHERE s.shopify_domain = %(shop_domain)s
   AND r.query_type = %(resource)s
   AND r.status = 'running'
 ORDER BY r.created_at DESC, r.id DESC
 LIMIT 1
