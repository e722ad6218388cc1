-- What an older row owns is as old as it is.
UPDATE {staging} s
   SET validation_status = 'older'
  FROM {parent_staging} p
 WHERE s.bulk_run_id = %(run_id)s
   AND s.{owned_by} = {owner}
   AND s.validation_status = 'valid'
   AND p.bulk_run_id = %(run_id)s
   AND p.validation_status = 'older'
   AND p.shopify_gid = s.parent_gid
