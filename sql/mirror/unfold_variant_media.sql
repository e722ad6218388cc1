-- Which media each variant shows, as rows: those of the variants in this load, whose sets the mirror has just taken. A
-- medium that the mirror does not have yet is left out until it does.
WITH shown AS MATERIALIZED (
  SELECT o.variant_id, m.media_id, m.place
    FROM pipeline.staging_variant_media s
    JOIN pipeline.variant_media o ON o.shop_id = %(shop_id)s AND o.shopify_gid = s.shopify_gid
    LEFT JOIN LATERAL pipeline.media_in_order(o.media) m ON true
   WHERE s.bulk_run_id = %(run_id)s
     AND s.validation_status = 'valid'
     AND {share}
     AND o.variant_id IS NOT NULL
), merged AS (
  INSERT INTO shopify_variant_media AS m (shop_id, variant_id, media_id, position)
  SELECT %(shop_id)s, variant_id, media_id, place
    FROM shown
   WHERE media_id IS NOT NULL
  ON CONFLICT (variant_id, media_id) DO UPDATE
     SET position = excluded.position, updated_at = now()
   WHERE m.position IS DISTINCT FROM excluded.position
  RETURNING old.shop_id IS NULL AS inserted
), gone AS (
  DELETE FROM shopify_variant_media m
   USING (SELECT DISTINCT variant_id FROM shown) s
   WHERE m.shop_id = %(shop_id)s
     AND m.variant_id = s.variant_id
     AND NOT EXISTS (SELECT FROM shown
                      WHERE shown.variant_id = m.variant_id
                        AND shown.media_id = m.media_id)
  RETURNING 1
)
SELECT count(*) FILTER (WHERE inserted),
       count(*) FILTER (WHERE NOT inserted),
       (SELECT count(*) FROM shown WHERE media_id IS NOT NULL),
       (SELECT count(*) FROM gone)
  FROM merged
