-- The domain is that of the folder of its files: the one that the shop had when it began.
SELECT r.shop_id,
       COALESCE(r.cursor_state ->> 'folder', s.shopify_domain::text) AS domain,
       s.api_version,
       r.query_type AS resource,
       r.status,
       r.shopify_operation_id AS operation_id,
       r.error_message,
       r.cursor_state -> 'bulk' AS bulk,
       r.cursor_state -> 'windows' AS windows,
       r.cursor_state -> 'reach' AS reach,
       CASE WHEN cardinality(s.scopes) > 0 THEN r.cursor_state ->> 'lacks' END AS lacks
  FROM bulk_runs r
  JOIN shops s ON s.id = r.shop_id
 WHERE r.id = %(run_id)s
