INSERT INTO shopify_variants (
    shop_id, product_id, shopify_gid, legacy_resource_id, title, sku, barcode, price, compare_at_price, cost, weight,
    weight_unit, inventory_quantity, inventory_policy, inventory_item_id, taxable, available_for_sale, position,
    selected_options, created_at_shopify, updated_at_shopify
)
SELECT
    product.shop_id,
    product.id,
    variant.gid,
    (line ->> 'legacyResourceId')::bigint,
    line ->> 'title',
    line ->> 'sku',
    line ->> 'barcode',
    (line ->> 'price')::numeric,
    (line ->> 'compareAtPrice')::numeric,
    (line #>> '{{inventoryItem,unitCost,amount}}')::numeric,
    (line #>> '{{inventoryItem,measurement,weight,value}}')::numeric,
    line #>> '{{inventoryItem,measurement,weight,unit}}',
    (line -> 'inventoryQuantity')::integer,
    line ->> 'inventoryPolicy',
    line #>> '{{inventoryItem,id}}',
    (line -> 'taxable')::boolean,
    (line -> 'availableForSale')::boolean,
    (line -> 'position')::integer,
    line -> 'selectedOptions',
    (line ->> 'createdAt')::timestamptz,
    (line ->> 'updatedAt')::timestamptz
FROM bench.lines AS variant
JOIN shopify_products AS product ON product.shop_id = %(shop_id)s::uuid AND product.shopify_gid = variant.parent
WHERE variant.node = 'ProductVariant'
ON CONFLICT (shop_id, shopify_gid) DO UPDATE SET
    product_id = EXCLUDED.product_id,
    legacy_resource_id = EXCLUDED.legacy_resource_id,
    title = EXCLUDED.title,
    sku = EXCLUDED.sku,
    barcode = EXCLUDED.barcode,
    price = EXCLUDED.price,
    compare_at_price = EXCLUDED.compare_at_price,
    cost = EXCLUDED.cost,
    weight = EXCLUDED.weight,
    weight_unit = EXCLUDED.weight_unit,
    inventory_quantity = EXCLUDED.inventory_quantity,
    inventory_policy = EXCLUDED.inventory_policy,
    inventory_item_id = EXCLUDED.inventory_item_id,
    taxable = EXCLUDED.taxable,
    available_for_sale = EXCLUDED.available_for_sale,
    position = EXCLUDED.position,
    selected_options = EXCLUDED.selected_options,
    created_at_shopify = EXCLUDED.created_at_shopify,
    updated_at_shopify = EXCLUDED.updated_at_shopify,
    synced_at = now(),
    updated_at = now()
