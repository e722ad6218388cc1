-- Objects in a JSON list that hold the id of a row that goes: the id becomes null, Shopify's GID beside it stays.
UPDATE {table} m
   SET {field} = (SELECT jsonb_agg(CASE WHEN item.value ->> {member} = ANY (%(texts)s::text[])
                                        THEN item.value || jsonb_build_object({member}, NULL)
                                        ELSE item.value
                                   END
                                   ORDER BY item.place)
                    FROM jsonb_array_elements(m.{field}) WITH ORDINALITY AS item (value, place)),
       updated_at = now()
 WHERE m.id IN (SELECT o.id
                  FROM unnest(%(texts)s::text[]) AS told (key)
                  JOIN {table} o ON o.{field} @> jsonb_build_array(jsonb_build_object({member}, told.key)))
