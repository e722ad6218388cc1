-- Links of the rows in this load. Shopify gives media no position and promises no order of lines, so the order is made:
-- the featured one first, then by the number in the GID, which is the order of upload. By itself where the rows were not
-- there a moment ago; else merge_links says what happens to links that are there.
INSERT INTO {table} AS m (shop_id, {parent_column}, {child_column}, position{featured_column})
SELECT %(shop_id)s, parent.id, child.{child_key},
       row_number() OVER (PARTITION BY parent.id ORDER BY {featured} DESC, {child_number}, l.child_gid) - 1
       {featured_value}
  FROM pipeline.staging_links l
  {ends}
 WHERE l.bulk_run_id = %(run_id)s
   AND l.link_table = {link_table}
   AND l.validation_status = 'valid'
   {unless_told}
