LEFT JOIN (SELECT parent_gid, sum(fingerprint) AS fingerprint
             FROM pipeline.staging_links
            WHERE bulk_run_id = %(run_id)s
              AND link_table = {link_table}
              AND validation_status = 'valid'
              {of_share}
            GROUP BY parent_gid) {alias} ON {alias}.parent_gid = s.shopify_gid
