-- An event that could not be processed is not tried again at once: what hindered it needs its time. And a level of which
-- no quantity is known makes no entry in the ledger: of an item that is not tracked Shopify says null, not nothing left.

SET LOCAL ROLE neanelu_owner;

ALTER TABLE pipeline.webhook_keys ADD COLUMN not_before TIMESTAMPTZ;
COMMENT ON COLUMN pipeline.webhook_keys.not_before IS 'A new event is not processed before this moment; NULL = at once';

-- Events that were set aside are counted, and put back: a few among many keys.
CREATE INDEX idx_webhook_keys_aside ON pipeline.webhook_keys (shop_id, received_at) WHERE state = 'aside';

GRANT CREATE ON SCHEMA pipeline TO neanelu_pipeline;
SET LOCAL ROLE neanelu_pipeline;

CREATE OR REPLACE FUNCTION pipeline.record_inventory() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- The load that is being merged; set with the tenant context.
    trace CONSTANT text := left(NULLIF(current_setting('app.trace_id', true), ''), 255);
    appended bigint;
BEGIN
    -- This runs as a role that sees every shop: rows are joined within theirs.
    -- A shop that is redacted leaves no entries behind. Anybody can say so; only the pipeline is believed.
    IF current_setting('app.redaction', true) = 'on' AND pg_has_role(session_user, 'neanelu_pipeline', 'MEMBER') THEN
        RETURN NULL;
    END IF;

    IF TG_OP = 'INSERT' THEN
        INSERT INTO public.inventory_ledger
            (shop_id, variant_id, sku, location_id, delta, reason, reference_type, reference_id,
             previous_quantity, new_quantity, cost_per_unit, recorded_at, created_at)
        SELECT
            n.shop_id, n.variant_id, v.sku, n.location_gid, n.available, 'SYNC',
            CASE WHEN n.webhook_key IS NOT NULL THEN 'webhook' WHEN trace IS NOT NULL THEN 'bulk_run' END,
            COALESCE(n.webhook_key, trace),
            0, n.available, v.cost, COALESCE(n.updated_at_shopify, now()), clock_timestamp()
        FROM new_rows AS n
        JOIN public.shopify_variants AS v ON v.id = n.variant_id AND v.shop_id = n.shop_id
        -- Not tracked, or not said: no quantity, and none is not nothing.
        WHERE n.available IS NOT NULL;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO public.inventory_ledger
            (shop_id, variant_id, sku, location_id, delta, reason, reference_type, reference_id,
             previous_quantity, new_quantity, cost_per_unit, recorded_at, created_at)
        -- Its variant may go in the same statement.
        SELECT
            o.shop_id, o.variant_id, v.sku, o.location_gid, -o.available, 'SYNC',
            CASE WHEN trace IS NOT NULL THEN 'bulk_run' END, trace,
            o.available, 0, v.cost, GREATEST(o.updated_at_shopify, now()), clock_timestamp()
        FROM old_rows AS o
        LEFT JOIN public.shopify_variants AS v ON v.id = o.variant_id AND v.shop_id = o.shop_id
        WHERE o.variant_id IS NOT NULL AND o.available <> 0;
    ELSE
        -- What a level stops to say of one variant, it begins to say of another: two entries then, otherwise one.
        INSERT INTO public.inventory_ledger
            (shop_id, variant_id, sku, location_id, delta, reason, reference_type, reference_id,
             previous_quantity, new_quantity, cost_per_unit, recorded_at, created_at)
        SELECT
            n.shop_id, entry.variant_id, v.sku, entry.location_gid, entry.after - entry.before, 'SYNC',
            CASE WHEN said_by_webhook THEN 'webhook' WHEN trace IS NOT NULL THEN 'bulk_run' END,
            CASE WHEN said_by_webhook THEN n.webhook_key ELSE trace END,
            entry.before, entry.after, v.cost, COALESCE(n.updated_at_shopify, now()), clock_timestamp()
        FROM old_rows AS o
        JOIN new_rows AS n ON n.id = o.id
        CROSS JOIN LATERAL (
            SELECT
                (o.variant_id, o.location_gid) IS NOT DISTINCT FROM (n.variant_id, n.location_gid) AS same,
                n.webhook_key IS NOT NULL AND n.webhook_key IS DISTINCT FROM o.webhook_key AS said_by_webhook
        ) AS about
        CROSS JOIN LATERAL (
            SELECT n.variant_id, n.location_gid, COALESCE(o.available, 0) AS before, COALESCE(n.available, 0) AS after
            WHERE about.same AND COALESCE(o.available, 0) <> COALESCE(n.available, 0)
            UNION ALL
            SELECT o.variant_id, o.location_gid, o.available, 0
            WHERE NOT about.same AND o.available <> 0
            UNION ALL
            SELECT n.variant_id, n.location_gid, 0, n.available
            WHERE NOT about.same AND n.available IS NOT NULL
        ) AS entry
        LEFT JOIN public.shopify_variants AS v ON v.id = entry.variant_id AND v.shop_id = n.shop_id
        WHERE entry.variant_id IS NOT NULL;
    END IF;

    -- How many entries this transaction has appended: the merge says it of itself.
    GET DIAGNOSTICS appended = ROW_COUNT;
    PERFORM set_config(
        'app.ledger_entries',
        (appended + COALESCE(NULLIF(current_setting('app.ledger_entries', true), ''), '0')::bigint)::text,
        true
    );
    RETURN NULL;
END
$$;

SET LOCAL ROLE neanelu_owner;
REVOKE CREATE ON SCHEMA pipeline FROM neanelu_pipeline;
