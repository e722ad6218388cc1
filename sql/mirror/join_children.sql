LEFT JOIN (SELECT parent_gid, jsonb_object_agg(key, value) AS value, sum(fingerprint) AS fingerprint
             FROM pipeline.staging_children
            WHERE bulk_run_id = %(run_id)s
              AND parent_table = {parent_table}
              AND field = {field}
              AND validation_status = 'valid'
              {of_share}
            GROUP BY parent_gid) {alias} ON {alias}.parent_gid = s.shopify_gid
