-- A product's document is wide: jsonb_to_record reads it once, where ->> would read it again for every column.
WITH metafields AS (
    SELECT
        parent,
        jsonb_object_agg(
            (line ->> 'namespace') || '.' || (line ->> 'key'),
            jsonb_build_object('type', line -> 'type', 'value', line -> 'value')
        ) AS metafields
    FROM bench.lines
    WHERE node = 'Metafield'
    GROUP BY parent
),
media AS (
    SELECT gid, line #>> '{{image,url}}' AS url
    FROM bench.lines
    WHERE node = 'MediaImage' AND parent LIKE 'gid://shopify/Product/%%'
)
INSERT INTO shopify_products (
    shop_id, shopify_gid, legacy_resource_id, title, handle, description, description_html, vendor, product_type,
    status, tags, is_gift_card, has_only_default_variant, requires_selling_plan, options, seo, price_range,
    featured_image_url, template_suffix, category_id, metafields, published_at, created_at_shopify, updated_at_shopify
)
SELECT
    %(shop_id)s::uuid,
    product.gid,
    node."legacyResourceId",
    node.title,
    node.handle,
    btrim(
        replace(replace(replace(replace(replace(replace(
            regexp_replace(node."descriptionHtml", '(\s*<[^>]*>)+\s*', ' ', 'g'),
        '&nbsp;', ' '), '&lt;', '<'), '&gt;', '>'), '&quot;', '"'), '&#39;', ''''), '&amp;', '&')
    ),
    node."descriptionHtml",
    node.vendor,
    node."productType",
    node.status,
    node.tags,
    node."isGiftCard",
    node."hasOnlyDefaultVariant",
    node."requiresSellingPlan",
    node.options,
    node.seo,
    jsonb_build_object(
        'min', node."priceRangeV2" #> '{{minVariantPrice,amount}}',
        'max', node."priceRangeV2" #> '{{maxVariantPrice,amount}}',
        'currency', node."priceRangeV2" #> '{{minVariantPrice,currencyCode}}'
    ),
    media.url,
    node."templateSuffix",
    node.category ->> 'id',
    COALESCE(metafields.metafields, '{{}}'),
    node."publishedAt",
    node."createdAt",
    node."updatedAt"
FROM bench.lines AS product
CROSS JOIN LATERAL jsonb_to_record(product.line) AS node (
    "legacyResourceId" BIGINT, title TEXT, handle TEXT, "descriptionHtml" TEXT, vendor TEXT, "productType" TEXT,
    status TEXT, tags TEXT[], "isGiftCard" BOOLEAN, "hasOnlyDefaultVariant" BOOLEAN, "requiresSellingPlan" BOOLEAN,
    options JSONB, seo JSONB, "priceRangeV2" JSONB, "featuredMedia" JSONB, "templateSuffix" TEXT, category JSONB,
    "publishedAt" TIMESTAMPTZ, "createdAt" TIMESTAMPTZ, "updatedAt" TIMESTAMPTZ
)
LEFT JOIN metafields ON metafields.parent = product.gid
LEFT JOIN media ON media.gid = node."featuredMedia" ->> 'id'
WHERE product.node = 'Product'
ON CONFLICT (shop_id, shopify_gid) DO UPDATE SET
    legacy_resource_id = EXCLUDED.legacy_resource_id,
    title = EXCLUDED.title,
    handle = EXCLUDED.handle,
    description = EXCLUDED.description,
    description_html = EXCLUDED.description_html,
    vendor = EXCLUDED.vendor,
    product_type = EXCLUDED.product_type,
    status = EXCLUDED.status,
    tags = EXCLUDED.tags,
    is_gift_card = EXCLUDED.is_gift_card,
    has_only_default_variant = EXCLUDED.has_only_default_variant,
    requires_selling_plan = EXCLUDED.requires_selling_plan,
    options = EXCLUDED.options,
    seo = EXCLUDED.seo,
    price_range = EXCLUDED.price_range,
    featured_image_url = EXCLUDED.featured_image_url,
    template_suffix = EXCLUDED.template_suffix,
    category_id = EXCLUDED.category_id,
    metafields = EXCLUDED.metafields,
    published_at = EXCLUDED.published_at,
    created_at_shopify = EXCLUDED.created_at_shopify,
    updated_at_shopify = EXCLUDED.updated_at_shopify,
    synced_at = now(),
    updated_at = now()
