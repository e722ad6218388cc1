-- Links of the rows in this load to rows of another resource, in the order of their lines. A place belongs to the line:
-- what is missing leaves a gap, so that nothing moves when it comes.
WITH placed AS (
  SELECT parent_gid, child_gid, validation_status,
         row_number() OVER (PARTITION BY parent_gid ORDER BY line_number) - 1 AS position
    FROM pipeline.staging_links
   WHERE bulk_run_id = %(run_id)s
     AND link_table = {link_table}
     AND validation_status IN ('valid', 'missing')
), merged AS (
  INSERT INTO {table} AS m (shop_id, {parent_column}, {child_column}, position)
  SELECT %(shop_id)s, parent.id, child.{child_key}, l.position
    FROM placed l
    {ends}
   WHERE l.validation_status = 'valid'
  {update}
  RETURNING old.shop_id IS NULL AS inserted
)
SELECT count(*) FILTER (WHERE inserted),
       count(*) FILTER (WHERE NOT inserted),
       (SELECT count(*)
          FROM placed
         WHERE validation_status = 'valid'
           AND %(is_first)s)
  FROM merged
