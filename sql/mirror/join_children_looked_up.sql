-- As join_children; beside a GID, the id of the mirror's row; and how many rows that Shopify names are not in the mirror.
LEFT JOIN (SELECT c.parent_gid,
                  jsonb_object_agg(c.key, jsonb_build_object({member}, found.{id_column}) || c.value) AS value,
                  sum(c.fingerprint) AS fingerprint,
                  count(*) FILTER (WHERE found.{id_column} IS NULL AND c.value ->> {gid_member} IS NOT NULL) AS missing
             FROM pipeline.staging_children c
             LEFT JOIN {table} found ON found.shop_id = %(shop_id)s
                                    AND found.shopify_gid = c.value ->> {gid_member}
            WHERE c.bulk_run_id = %(run_id)s
              AND c.parent_table = {parent_table}
              AND c.field = {field}
              AND c.validation_status = 'valid'
              {of_share}
            GROUP BY c.parent_gid) {alias} ON {alias}.parent_gid = s.shopify_gid
