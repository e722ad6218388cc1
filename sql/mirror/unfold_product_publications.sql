-- Where each product is published, as rows: those of the products in this load, whose publications the mirror has just
-- taken. A publication that the mirror does not have yet is left out until it does.
WITH shown AS MATERIALIZED (
  SELECT o.product_id,
         (p.value ->> 'publication_id')::uuid AS publication_id,
         (p.value ->> 'is_published')::boolean AS is_published,
         (p.value ->> 'publish_date')::timestamptz AS publish_date
    FROM pipeline.staging_product_publications s
    JOIN pipeline.product_publications o ON o.shop_id = %(shop_id)s AND o.shopify_gid = s.shopify_gid
    LEFT JOIN LATERAL jsonb_each(o.publications) p ON true
   WHERE s.bulk_run_id = %(run_id)s
     AND s.validation_status = 'valid'
     AND {share}
     AND o.product_id IS NOT NULL
), merged AS (
  INSERT INTO shopify_resource_publications AS m
         (shop_id, publication_id, resource_type, resource_id, is_published, published_at, publish_date)
  SELECT %(shop_id)s, publication_id, 'Product', product_id, is_published,
         CASE WHEN is_published THEN publish_date END,
         publish_date
    FROM shown
   WHERE publication_id IS NOT NULL
  ON CONFLICT (shop_id, publication_id, resource_type, resource_id) DO UPDATE
     SET is_published = excluded.is_published,
         published_at = excluded.published_at,
         publish_date = excluded.publish_date,
         updated_at = now()
   WHERE (m.is_published, m.published_at, m.publish_date)
         IS DISTINCT FROM (excluded.is_published, excluded.published_at, excluded.publish_date)
  RETURNING old.shop_id IS NULL AS inserted
), gone AS (
  DELETE FROM shopify_resource_publications m
   USING (SELECT DISTINCT product_id FROM shown) s
   WHERE m.shop_id = %(shop_id)s
     AND m.resource_type = 'Product'
     AND m.resource_id = s.product_id
     AND NOT EXISTS (SELECT FROM shown
                      WHERE shown.product_id = m.resource_id
                        AND shown.publication_id = m.publication_id)
  RETURNING 1
)
SELECT count(*) FILTER (WHERE inserted),
       count(*) FILTER (WHERE NOT inserted),
       (SELECT count(*) FROM shown WHERE publication_id IS NOT NULL),
       (SELECT count(*) FROM gone)
  FROM merged
