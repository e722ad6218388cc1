-- Every link's hash as often as its place in the order of the lines; and how many rows of another resource are missing.
LEFT JOIN (SELECT parent_gid,
                  sum(fingerprint::numeric * place) AS fingerprint,
                  count(*) FILTER (WHERE validation_status = 'missing') AS missing
             FROM (SELECT parent_gid, fingerprint, validation_status,
                          row_number() OVER (PARTITION BY parent_gid ORDER BY line_number) AS place
                     FROM pipeline.staging_links
                    WHERE bulk_run_id = %(run_id)s
                      AND link_table = {link_table}
                      {of_share}) AS placed
            GROUP BY parent_gid) {alias} ON {alias}.parent_gid = s.shopify_gid
