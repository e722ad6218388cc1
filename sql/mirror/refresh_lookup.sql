-- Rows that show a value of another row (a product its featured picture) follow when that row changes, in the same
-- transaction. Rows that are merged after it look it up themselves.
UPDATE {table} m
   SET {column} = looked_up.{value_column}, updated_at = now()
  FROM {staging} s
  JOIN {lookup_table} looked_up ON looked_up.shop_id = %(shop_id)s AND looked_up.shopify_gid = s.shopify_gid
  JOIN {link_table} l ON l.{child_column} = looked_up.{child_key} AND l.is_featured
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND {share}
   AND m.id = l.{parent_column}
   AND m.{column} IS DISTINCT FROM looked_up.{value_column}
