-- How far a resource has come. `unseen` is what was asked for while the token lacked the scope that shows all of it, and
-- `is_seen_now` whether it has that scope now. Before its first complete load it has come to 1970, which is to say nowhere.
SELECT NULLIF(c.last_sync_at, 'epoch') AS through,
       c.status,
       c.error_message,
       ARRAY(SELECT ARRAY[lower(r), upper(r)]
               FROM unnest(COALESCE((c.metadata ->> 'owed')::tstzmultirange, '{}')) AS r
              ORDER BY r) AS owed,
       ARRAY(SELECT ARRAY[lower(r), upper(r)]
               FROM unnest(COALESCE((c.metadata ->> 'unseen')::tstzmultirange, '{}')) AS r
              ORDER BY r) AS unseen,
       COALESCE(%(whole_with)s::text = ANY (s.scopes), false) AS is_seen_now,
       ARRAY(SELECT ARRAY[lower(r), upper(r)]
               FROM unnest(COALESCE((c.metadata ->> 'ahead')::tstzmultirange, '{}')) AS r
              ORDER BY r) AS ahead,
       (c.metadata ->> 'run_id')::uuid AS run_id
  FROM sync_checkpoints c
  JOIN shops s ON s.id = c.shop_id
 WHERE c.shop_id = %(shop_id)s
   AND c.resource_type = %(resource)s
