-- What happens to a row that is there. Where the mirror has none of the shop's, insert_entity goes without: looking for each
-- row first, and taking its place in the index before it is written, is a twentieth of a first load's merge.
ON CONFLICT (shop_id, shopify_gid) DO UPDATE
   SET {assignments},
       {fingerprint_column} = {kept_fingerprint},
       synced_at = excluded.synced_at,
       updated_at = CASE WHEN {differs} THEN now() ELSE m.updated_at END
 WHERE (m.{fingerprint_column} IS DISTINCT FROM {kept_fingerprint}
        OR ({kept_fingerprint} IS NULL AND {differs})
        {or_told_later})
   AND {not_older}
