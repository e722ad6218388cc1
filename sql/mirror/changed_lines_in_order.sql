-- As changed_lines, where the order of a row's links counts: the first link's hash once, the second's twice, and so on.
SELECT ARRAY[l.line_number] AS lines, {ordinal}::integer AS entity
  FROM pipeline.staging_lines l
  JOIN (SELECT k.gid
          FROM (SELECT gid, pipeline.fingerprint(sum(hash)) AS fingerprint
                  FROM ((SELECT gid, hash::numeric AS hash
                           FROM pipeline.staging_lines
                          WHERE bulk_run_id = %(run_id)s
                            AND entity = {entity}
                          GROUP BY gid, hash)
                        UNION ALL
                        SELECT gid, hash::numeric * row_number() OVER (PARTITION BY entity, gid ORDER BY line_number)
                          FROM pipeline.staging_lines
                         WHERE bulk_run_id = %(run_id)s
                           AND entity IN ({links})) AS lines
                 GROUP BY gid) k
          LEFT JOIN {table} m ON m.shop_id = %(shop_id)s
                             AND m.shopify_gid = k.gid
         WHERE m.{fingerprint_column} IS DISTINCT FROM k.fingerprint) changed ON changed.gid = l.gid
 WHERE l.bulk_run_id = %(run_id)s
   AND l.entity IN ({entity}, {links})
