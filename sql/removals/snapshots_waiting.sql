-- The newest whole export of each resource of the last two days, if nobody has looked at what it does not hold any more.
SELECT newest.id, newest.shop_id, newest.domain, newest.query_type
  FROM (SELECT DISTINCT ON (s.id, r.query_type) r.id, s.id AS shop_id, s.shopify_domain::text AS domain, r.query_type
          FROM shops s
          JOIN bulk_runs r ON r.shop_id = s.id
         WHERE s.uninstalled_at IS NULL
           AND s.access_token_ciphertext <> ''::bytea
           AND r.status = 'completed'
           AND r.cursor_state ? 'bulk'
           AND r.completed_at > now() - interval '2 days'
           AND COALESCE((r.cursor_state ->> 'snapshot')::boolean, true)
         ORDER BY s.id, r.query_type, (r.cursor_state ->> 'as_of')::timestamptz DESC, r.id DESC) AS newest
 WHERE NOT EXISTS (SELECT
                     FROM bulk_steps b
                    WHERE b.bulk_run_id = newest.id
                      AND b.step_name = 'removal'
                      AND b.status = 'completed')
 ORDER BY newest.id
