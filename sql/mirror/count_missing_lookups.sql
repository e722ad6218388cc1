SELECT count(*)
  FROM {staging} s
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND s.{gid_column} IS NOT NULL
   AND NOT EXISTS (SELECT FROM {table} m
                    WHERE m.shop_id = %(shop_id)s
                      AND m.{key_column} = s.{gid_column})
