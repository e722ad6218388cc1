-- Where another resource has told the whole set, it alone speaks.
AND NOT EXISTS (SELECT
                  FROM {told_by} told
                 WHERE told.shop_id = %(shop_id)s
                   AND told.shopify_gid = s.shopify_gid
                   AND told.{parent_column} IS NOT NULL)
