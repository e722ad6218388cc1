-- merge_links, of a damaged file: of a row in it, links that it does not hold are kept. All of them are put in order
-- together, or two would stand first.
WITH lines AS (
  SELECT l.parent_gid, l.child_gid
    FROM pipeline.staging_links l
   WHERE l.bulk_run_id = %(run_id)s
     AND l.link_table = {link_table}
     AND l.validation_status = 'valid'
   UNION
  SELECT s.shopify_gid, child.shopify_gid
    FROM {parent_staging} s
    JOIN {parent_table} parent ON parent.shop_id = %(shop_id)s AND parent.shopify_gid = s.shopify_gid
    JOIN {table} kept ON kept.{parent_column} = parent.id
    JOIN {child_table} child ON child.{child_key} = kept.{child_column}
   WHERE s.bulk_run_id = %(run_id)s
     AND s.validation_status = 'valid'
     AND {share}
), offered AS (
  SELECT parent.id, child.{child_key},
         row_number() OVER (PARTITION BY parent.id ORDER BY {featured} DESC, {child_number}, l.child_gid) - 1
         {featured_value}
    FROM lines l
    {ends}
   WHERE true
     {unless_told}
), merged AS (
  INSERT INTO {table} AS m (shop_id, {parent_column}, {child_column}, position{featured_column})
  SELECT %(shop_id)s, offered.*
    FROM offered
  {update}
  RETURNING old.shop_id IS NULL AS inserted
)
SELECT count(*) FILTER (WHERE inserted),
       count(*) FILTER (WHERE NOT inserted),
       (SELECT count(*) FROM offered)
  FROM merged
