-- When the rows changed of which this load rejected lines: a root line says so itself; what stands under a root changed
-- with it, and the mirror has the root, unless its line was rejected too. `untold` counts the lines that say neither.
WITH rejected AS (
  SELECT COALESCE(payload ->> 'id', payload ->> 'shopify_gid', payload ->> 'child_gid') AS gid,
         COALESCE({parents}) AS parent_gid,
         COALESCE(payload ->> 'updatedAt', payload ->> {version_name}) AS moment
    FROM bulk_errors e
    JOIN bulk_runs r ON r.id = e.bulk_run_id
   WHERE r.id = %(run_id)s
     AND r.cursor_state ? 'bulk'
),
placed AS (
  SELECT date_trunc('second', CASE WHEN r.parent_gid IS NOT NULL THEN COALESCE({versions})
                                   WHEN r.gid LIKE ANY (%(root_gids)s) AND pg_input_is_valid(r.moment, 'timestamptz')
                                   THEN r.moment::timestamptz
                              END) AS moment
    FROM rejected r
    LEFT JOIN {root} root ON root.shop_id = %(shop_id)s AND root.shopify_gid = r.parent_gid
    {joins}
   WHERE NOT EXISTS (SELECT FROM rejected o WHERE o.gid = r.parent_gid AND o.gid IS DISTINCT FROM r.gid)
)
SELECT count(*) FILTER (WHERE moment IS NULL) AS untold,
       COALESCE(range_agg(tstzrange(moment, moment + interval '1 second')) FILTER (WHERE moment IS NOT NULL),
                '{{}}')::text AS stretches
  FROM placed
