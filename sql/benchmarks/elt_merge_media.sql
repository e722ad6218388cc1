-- A picture that a variant names too stands there with nothing but its id: the product's line describes it.
INSERT INTO shopify_media (
    shop_id, shopify_gid, legacy_resource_id, media_type, alt, status, mime_type, width, height, url, sources, metadata
)
SELECT
    %(shop_id)s::uuid,
    gid,
    substring(gid FROM '[0-9]+$')::bigint,
    line ->> 'mediaContentType',
    line ->> 'alt',
    line ->> 'status',
    line #>> '{{sources,0,mimeType}}',
    (line #>> '{{image,width}}')::integer,
    (line #>> '{{image,height}}')::integer,
    COALESCE(line #>> '{{image,url}}', line ->> 'embedUrl', line #>> '{{sources,0,url}}'),
    COALESCE(line -> 'sources', '[]'),
    CASE WHEN line ? 'host' THEN jsonb_build_object('host', line -> 'host') ELSE '{{}}' END
FROM bench.lines
WHERE node IN ('MediaImage', 'Video', 'ExternalVideo', 'Model3d')
  AND parent LIKE 'gid://shopify/Product/%%'
ON CONFLICT (shop_id, shopify_gid) DO UPDATE SET
    legacy_resource_id = EXCLUDED.legacy_resource_id,
    media_type = EXCLUDED.media_type,
    alt = EXCLUDED.alt,
    status = EXCLUDED.status,
    mime_type = EXCLUDED.mime_type,
    width = EXCLUDED.width,
    height = EXCLUDED.height,
    url = EXCLUDED.url,
    sources = EXCLUDED.sources,
    metadata = EXCLUDED.metadata,
    synced_at = now(),
    updated_at = now()
