-- Rows without a time of change of their own: only the moment that they show can tell that the mirror's is newer.
UPDATE {staging} s
   SET validation_status = 'older'
  FROM {table} m
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND m.shop_id = %(shop_id)s
   AND m.shopify_gid = s.shopify_gid
   AND {shown} > {told_at}
