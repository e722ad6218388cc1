-- Every relation of schema public but partitions, with its columns as the catalog describes them.
SELECT
    relation.relname AS name,
    CASE relation.relkind
        WHEN 'm' THEN 'materialized view'
        WHEN 'v' THEN 'view'
        ELSE 'table'
    END AS kind,
    obj_description(relation.oid, 'pg_class') AS comment,
    relation.relname = 'shops' OR bool_or(attribute.attname = 'shop_id') AS tenant,
    jsonb_agg(
        jsonb_build_object(
            'name', attribute.attname,
            'type', format_type(attribute.atttypid, attribute.atttypmod),
            'nullable', NOT attribute.attnotnull,
            'comment', col_description(relation.oid, attribute.attnum)
        )
        ORDER BY attribute.attnum
    ) AS columns
FROM pg_class AS relation
JOIN pg_attribute AS attribute
    ON attribute.attrelid = relation.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
WHERE relation.relnamespace = 'public'::regnamespace
    AND relation.relkind IN ('r', 'p', 'm', 'v')
    AND NOT relation.relispartition
GROUP BY relation.oid, relation.relname, relation.relkind
