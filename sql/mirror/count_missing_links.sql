SELECT count(*)
  FROM pipeline.staging_links s
 WHERE s.bulk_run_id = %(run_id)s
   AND s.link_table = {link_table}
   AND s.validation_status = 'missing'
