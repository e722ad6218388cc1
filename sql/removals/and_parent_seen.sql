AND EXISTS (SELECT
              FROM {parent_table} p
              JOIN pg_temp.seen_gids s ON s.gid = p.shopify_gid
             WHERE p.{parent_key} = m.{column})
