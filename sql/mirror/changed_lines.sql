-- The lines of every row of {table} that the file describes otherwise than the mirror does: new rows, rows whose own
-- or owned lines changed, and rows that somebody else wrote (their fingerprint is NULL).
SELECT l.line_number, {ordinal}::integer AS entity
  FROM pipeline.staging_lines l
  JOIN (SELECT k.gid
          FROM (SELECT gid, pipeline.fingerprint(sum(hash)) AS fingerprint
                  -- The same line twice (a picture under two products) makes the row once, and counts once.
                  FROM (SELECT gid, hash
                          FROM pipeline.staging_lines
                         WHERE bulk_run_id = %(run_id)s
                           AND entity = {entity}
                         GROUP BY gid, hash) AS once
                 GROUP BY gid) k
          LEFT JOIN {table} m ON m.shop_id = %(shop_id)s
                             AND m.shopify_gid = k.gid
         WHERE m.{fingerprint_column} IS DISTINCT FROM k.fingerprint) changed ON changed.gid = l.gid
 WHERE l.bulk_run_id = %(run_id)s
   AND l.entity = {entity}
