-- A row of {table} that names in {key_column} what this row names. Nothing keeps it from being two: the first counts.
LEFT JOIN LATERAL (SELECT found.*
                     FROM {table} found
                    WHERE found.shop_id = %(shop_id)s
                      AND found.{key_column} = s.{gid_column}
                    ORDER BY found.shopify_gid
                    LIMIT 1) looked_up ON true
