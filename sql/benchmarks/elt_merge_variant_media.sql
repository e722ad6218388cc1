INSERT INTO shopify_variant_media (shop_id, variant_id, media_id, position)
SELECT
    variant.shop_id,
    variant.id,
    media.media_id,
    row_number() OVER (PARTITION BY link.parent ORDER BY link.number)
FROM bench.lines AS link
JOIN shopify_variants AS variant ON variant.shop_id = %(shop_id)s::uuid AND variant.shopify_gid = link.parent
JOIN shopify_media AS media ON media.shop_id = variant.shop_id AND media.shopify_gid = link.gid
WHERE link.node IN ('MediaImage', 'Video', 'ExternalVideo', 'Model3d')
ON CONFLICT (variant_id, media_id) DO UPDATE SET
    position = EXCLUDED.position,
    updated_at = now()
