-- Every column of every table and materialized view in which a name, a number or a text can stand. Partitions are seen
-- through their parents. Numbers of fewer than 64 bits hold no id of Shopify's. What is part of a key, or of which a
-- constraint says what it may be, is none that could be written over.
SELECT c.oid::regclass::text AS table_name,
       n.nspname AS schema_name,
       c.relname AS bare_name,
       c.relkind = 'm' AS is_view,
       a.attname AS column_name,
       CASE WHEN t.typcategory = 'A' AND e.typcategory = 'U' AND e.typname = 'uuid' THEN 'uuid[]'
            WHEN t.typcategory = 'A' THEN 'array'
            WHEN t.typname IN ('json', 'jsonb') THEN 'json'
            WHEN t.typname = 'uuid' THEN 'uuid'
            WHEN t.typname IN ('int8', 'numeric') THEN 'number'
            ELSE 'text'
       END AS kind,
       format_type(a.atttypid, NULL) AS type_name,
       EXISTS (SELECT
                 FROM pg_attribute s
                WHERE s.attrelid = c.oid
                  AND s.attname = 'shop_id'
                  AND NOT s.attisdropped) AS has_shop,
       a.attgenerated <> ''
       OR EXISTS (SELECT
                    FROM pg_constraint k
                   WHERE k.conrelid = c.oid
                     AND k.contype IN ('p', 'u', 'f', 'c')
                     AND a.attnum = ANY (k.conkey))
       OR EXISTS (SELECT
                    FROM pg_index i
                   WHERE i.indrelid = c.oid
                     AND i.indisunique
                     AND a.attnum = ANY (i.indkey)) AS is_key,
       c.relkind <> 'm' AND has_column_privilege(c.oid, a.attnum, 'UPDATE') AS may_update,
       c.relkind <> 'm' AND has_table_privilege(c.oid, 'DELETE') AS may_delete
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
 WHERE n.nspname IN ('public', 'pipeline')
   AND c.relkind IN ('r', 'p', 'm')
   AND NOT c.relispartition
   AND (c.relkind <> 'm' OR c.relispopulated)
   AND has_table_privilege(c.oid, 'SELECT')
   AND (t.typcategory IN ('S', 'A')
        OR t.typname IN ('json', 'jsonb', 'uuid', 'int8', 'numeric', 'citext', 'inet'))
 ORDER BY 2, 3, a.attnum
