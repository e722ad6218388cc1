-- Columns of tables without a shop that mention rows of shops (whoever reviewed something is somebody of a shop).
SELECT k.conrelid::regclass::text AS table_name,
       a.attname AS column_name,
       k.confrelid::regclass::text AS refers_to,
       f.attname AS key_column
  FROM pg_constraint k
  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
  JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
 WHERE k.contype = 'f'
   AND k.conenforced
   AND k.conparentid = 0
   AND EXISTS (SELECT FROM pg_attribute s WHERE s.attrelid = k.confrelid AND s.attname = 'shop_id')
   AND NOT EXISTS (SELECT FROM pg_attribute s WHERE s.attrelid = k.conrelid AND s.attname = 'shop_id')
