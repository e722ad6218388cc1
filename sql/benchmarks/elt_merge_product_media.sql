INSERT INTO shopify_product_media (shop_id, product_id, media_id, position, is_featured)
SELECT
    product.shop_id,
    product.id,
    media.media_id,
    row_number() OVER (PARTITION BY link.parent ORDER BY link.number),
    media.shopify_gid = featured.gid
FROM bench.lines AS link
JOIN shopify_products AS product ON product.shop_id = %(shop_id)s::uuid AND product.shopify_gid = link.parent
JOIN shopify_media AS media ON media.shop_id = product.shop_id AND media.shopify_gid = link.gid
JOIN (
    SELECT gid AS product_gid, line #>> '{{featuredMedia,id}}' AS gid FROM bench.lines WHERE node = 'Product'
) AS featured ON featured.product_gid = link.parent
WHERE link.node IN ('MediaImage', 'Video', 'ExternalVideo', 'Model3d')
ON CONFLICT (product_id, media_id) DO UPDATE SET
    position = EXCLUDED.position,
    is_featured = EXCLUDED.is_featured,
    updated_at = now()
