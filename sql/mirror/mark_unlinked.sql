-- A node whose lines all stand under rows that are not there: they are rejected, so it writes no row either, nor over one
-- that is there.
UPDATE {staging} s
   SET validation_status = 'invalid',
       validation_errors = l.validation_errors
  FROM pipeline.staging_links l
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND l.bulk_run_id = %(run_id)s
   AND l.validation_status = 'invalid'
   AND l.link_table = {link_table}
   AND l.child_gid = s.shopify_gid
   AND NOT EXISTS (SELECT FROM pipeline.staging_links other
                    WHERE other.bulk_run_id = %(run_id)s
                      AND other.link_table = l.link_table
                      AND other.validation_status IN ('valid', 'older')
                      AND other.child_gid = s.shopify_gid)
