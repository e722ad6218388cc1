-- How many pages there are to share out, and whether rows take unevenly long: entries of a GIN index are put off, and
-- whoever writes one too many tidies up for all. And whether the mirror has none of the shop's rows.
SELECT pg_relation_size({staging}::regclass) / current_setting('block_size')::integer,
       EXISTS (SELECT
                 FROM pg_index i
                 JOIN pg_class c ON c.oid = i.indexrelid
                 JOIN pg_am a ON a.oid = c.relam
                WHERE i.indrelid = {table_name}::regclass
                  AND a.amname = 'gin'),
       NOT EXISTS (SELECT FROM {table} WHERE shop_id = %(shop_id)s)
