-- Rows of which the mirror holds a newer version: this export is older there, and never overwrites it. The moments that
-- they show decide where either has no time of change (the query did not select it), where both have the same (Shopify
-- tells it in whole seconds), and where the mirror's lies ahead, which no true one does: lines that say so are rejected,
-- but rows of before may.
UPDATE {staging} s
   SET validation_status = 'older'
  FROM {table} m
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND m.shop_id = %(shop_id)s
   AND m.shopify_gid = s.shopify_gid
   AND CASE WHEN COALESCE(m.{version} = s.{version}
                          OR m.{version} > GREATEST(now(), %(as_of)s) + interval '1 day', true)
            THEN {shown} > {told_at}
            ELSE m.{version} > s.{version}
       END
