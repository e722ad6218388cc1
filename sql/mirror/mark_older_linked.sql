-- A node that has no time of change of its own is as old as the rows under which its lines stand. If one of them is not
-- older, neither is the node.
UPDATE {staging} s
   SET validation_status = 'older'
  FROM pipeline.staging_links l
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND l.bulk_run_id = %(run_id)s
   AND l.validation_status = 'older'
   AND l.child_gid = s.shopify_gid
   AND NOT EXISTS (SELECT FROM pipeline.staging_links other
                    WHERE other.bulk_run_id = %(run_id)s
                      AND other.validation_status = 'valid'
                      AND other.child_gid = s.shopify_gid)
