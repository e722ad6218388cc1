-- An event counts with its own moment, whichever others it is written together with; and what a removal left behind, or
-- could not find, is remembered.

SET LOCAL ROLE neanelu_owner;

-- Only lines of events say it: in what an export stages it is null, and takes no room.
DO $$
DECLARE
    staging TEXT;
BEGIN
    FOREACH staging IN ARRAY ARRAY[
        'public.staging_products', 'public.staging_variants', 'pipeline.staging_media', 'pipeline.staging_collections',
        'pipeline.staging_customers', 'pipeline.staging_orders', 'pipeline.staging_locations',
        'pipeline.staging_inventory_items', 'pipeline.staging_inventory_levels'
    ]
    LOOP
        EXECUTE format('ALTER TABLE %s ADD COLUMN told_at TIMESTAMPTZ', staging);
        EXECUTE format(
            'COMMENT ON COLUMN %s.told_at IS %L', staging,
            'The moment of the shop that this row shows; NULL: that of the whole file'
        );
    END LOOP;
END
$$;

ALTER TABLE pipeline.removals ADD COLUMN left_gids TEXT[];

COMMENT ON COLUMN pipeline.removals.shopify_gid IS
    'What was removed. Where Shopify named it otherwise and it was not here: what it said, as of a level its item and its '
    'location with a blank between';
COMMENT ON COLUMN pipeline.removals.left_gids IS
    'What was linked with the row and stayed without it, as a product''s pictures';
