-- Staging into the mirror, as the tenant: row-level security holds whatever stands here. A row is written only if its
-- fingerprint differs and the mirror's version is not newer; updated_at moves only if a value did.
WITH merged AS (
  INSERT INTO {table} AS m (shop_id, {fingerprint_column}, synced_at, {columns})
  SELECT %(shop_id)s, {fingerprint}, {told_at}, {values}
    FROM {staging} s
    {joins}
   WHERE s.bulk_run_id = %(run_id)s
     AND s.validation_status = 'valid'
     AND {share}
  ON CONFLICT (shop_id, shopify_gid) DO UPDATE
     SET {assignments},
         {fingerprint_column} = {kept_fingerprint},
         synced_at = excluded.synced_at,
         updated_at = CASE WHEN {differs} THEN now() ELSE m.updated_at END
   WHERE (m.{fingerprint_column} IS DISTINCT FROM excluded.{fingerprint_column}
          OR (excluded.{fingerprint_column} IS NULL AND {differs})
          {or_told_later})
     AND {not_older}
  RETURNING old.shop_id IS NULL AS inserted, old.updated_at IS DISTINCT FROM new.updated_at AS changed
)
SELECT count(*) FILTER (WHERE inserted),
       count(*) FILTER (WHERE changed AND NOT inserted),
       (SELECT count(*)
          FROM {staging} s
         WHERE s.bulk_run_id = %(run_id)s
           AND s.validation_status = 'valid'
           AND {share})
  FROM merged
