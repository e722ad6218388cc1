-- The links that insert_links makes, beside those that are there (update_links).
WITH merged AS (
  {insert}
  {update}
  RETURNING old.shop_id IS NULL AS inserted
)
SELECT count(*) FILTER (WHERE inserted),
       count(*) FILTER (WHERE NOT inserted),
       (SELECT count(*)
          FROM pipeline.staging_links l
         WHERE l.bulk_run_id = %(run_id)s
           AND l.link_table = {link_table}
           AND l.validation_status = 'valid'
           AND %(is_first)s)
  FROM merged
