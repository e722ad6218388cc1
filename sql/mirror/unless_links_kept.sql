-- An incomplete row without any such line says nothing about its links.
AND (s.validation_errors IS NULL
     OR EXISTS (SELECT
                  FROM pipeline.staging_links any_line
                 WHERE any_line.bulk_run_id = %(run_id)s
                   AND any_line.link_table = {link_table}
                   AND any_line.parent_gid = s.shopify_gid))
