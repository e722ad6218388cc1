-- The ledger is written by the levels themselves: whoever changes an available quantity, by whatever way, appends its
-- entry in the same statement. The row's lock makes changes of one level follow each other, so each entry begins where
-- the one before ended, and the sum of a level's deltas is its quantity.

SET LOCAL ROLE neanelu_owner;

-- Entries are appended, never changed; they are removed only with their whole shop. Nobody but the trigger appends: an
-- entry without a change of its level would break the chain.
REVOKE UPDATE ON inventory_ledger FROM neanelu_pipeline;
REVOKE INSERT ON inventory_ledger FROM neanelu_tenant;

GRANT CREATE ON SCHEMA pipeline TO neanelu_pipeline;
-- It belongs to neanelu_pipeline and runs as it: the tenant that changes a level may not write the ledger by itself.
SET LOCAL ROLE neanelu_pipeline;

CREATE FUNCTION pipeline.record_inventory() RETURNS trigger
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
            n.shop_id, n.variant_id, v.sku, n.location_gid, COALESCE(n.available, 0), 'SYNC',
            CASE WHEN n.webhook_key IS NOT NULL THEN 'webhook' WHEN trace IS NOT NULL THEN 'bulk_run' END,
            COALESCE(n.webhook_key, trace),
            0, COALESCE(n.available, 0), v.cost, COALESCE(n.updated_at_shopify, now()), clock_timestamp()
        FROM new_rows AS n
        JOIN public.shopify_variants AS v ON v.id = n.variant_id AND v.shop_id = n.shop_id;
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
            SELECT n.variant_id, n.location_gid, 0, COALESCE(n.available, 0)
            WHERE NOT about.same
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

COMMENT ON FUNCTION pipeline.record_inventory() IS
    'Appends to inventory_ledger what a statement changed in the available quantities';

-- Otherwise anyone could hang it on a temporary table and forge entries.
REVOKE ALL ON FUNCTION pipeline.record_inventory() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pipeline.record_inventory() TO neanelu_owner;

SET LOCAL ROLE neanelu_owner;
REVOKE CREATE ON SCHEMA pipeline FROM neanelu_pipeline;

-- A trigger with transition tables has one event.
CREATE TRIGGER inventory_levels_ledger_insert AFTER INSERT ON pipeline.inventory_levels
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pipeline.record_inventory();
CREATE TRIGGER inventory_levels_ledger_update AFTER UPDATE ON pipeline.inventory_levels
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pipeline.record_inventory();
CREATE TRIGGER inventory_levels_ledger_delete AFTER DELETE ON pipeline.inventory_levels
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pipeline.record_inventory();
