-- The lines of every row of {table} that the file describes otherwise than the mirror does: new rows, rows whose own
-- or owned lines changed, and rows that somebody else wrote (their fingerprint is NULL). DISTINCT: the same line twice
-- (a picture under two products) makes the row once, and counts once.
SELECT k.lines, {ordinal}::integer AS entity
  FROM (SELECT gid, pipeline.fingerprint(sum(DISTINCT hash)) AS fingerprint, array_agg(line_number) AS lines
          FROM pipeline.staging_lines
         WHERE bulk_run_id = %(run_id)s
           AND entity = {entity}
         GROUP BY gid) k
  LEFT JOIN {table} m ON m.shop_id = %(shop_id)s
                     AND m.shopify_gid = k.gid
 WHERE m.{fingerprint_column} IS DISTINCT FROM k.fingerprint
