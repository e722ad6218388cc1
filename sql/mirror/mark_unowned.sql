-- Children and links without their owner's line: what an owner owns is replaced as a whole, with its owner.
UPDATE {staging} s
   SET validation_status = 'invalid',
       validation_errors = jsonb_build_array(jsonb_build_object(
         'code', 'orphan',
         'error', 'Its parent ' || s.parent_gid || ' is not among the valid lines of this file.'))
 WHERE s.bulk_run_id = %(run_id)s
   AND s.{owned_by} = {owner}
   AND s.validation_status = 'valid'
   AND NOT EXISTS (SELECT FROM {parent_staging} p
                    WHERE p.bulk_run_id = %(run_id)s
                      AND p.validation_status = 'valid'
                      AND p.shopify_gid = s.parent_gid)
