-- Which columns refer to a table, whether a row goes with what it refers to (it must refer, or the key says so), and the
-- key of their own table if it is one column.
SELECT c.conrelid::regclass::text AS table_name,
       a.attname AS column_name,
       a.attnotnull OR c.confdeltype = 'c' AS must_refer,
       (SELECT k.attname
          FROM pg_constraint p
          JOIN pg_attribute k ON k.attrelid = p.conrelid AND k.attnum = p.conkey[1]
         WHERE p.conrelid = c.conrelid
           AND p.contype = 'p'
           AND cardinality(p.conkey) = 1) AS key_column,
       EXISTS (SELECT
                 FROM pg_attribute g
                WHERE g.attrelid = c.conrelid
                  AND g.attname = 'shopify_gid') AS has_gid
  FROM pg_constraint c
  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
 WHERE c.contype = 'f'
   AND c.conenforced
   AND c.conparentid = 0
   AND c.confrelid = %(table)s::regclass
 ORDER BY 1, 2
