-- The tables that hold rows of shops, and which of them refer to which: what refers goes first.
SELECT c.oid::regclass::text AS table_name,
       ARRAY(SELECT DISTINCT k.confrelid::regclass::text
               FROM pg_constraint k
              WHERE k.conrelid = c.oid
                AND k.contype = 'f'
                AND k.conenforced
                AND k.conparentid = 0
                AND k.confrelid <> c.oid) AS refers_to
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('public', 'pipeline')
   AND c.relkind IN ('r', 'p')
   AND NOT c.relispartition
   AND c.oid NOT IN ('shops'::regclass, 'audit_logs'::regclass, 'pipeline.redactions'::regclass)
   AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'shop_id' AND NOT a.attisdropped)
 ORDER BY 1
