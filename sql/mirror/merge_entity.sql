-- Staging into the mirror, as the tenant: row-level security holds whatever stands here. A row that is there is written
-- only if its fingerprint differs and the mirror's version is not newer (update_entity); updated_at moves only if a value
-- did.
WITH merged AS (
  {insert}
  {update}
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
