-- The audit trail of the critical tables.
--
-- One statement writes its audit rows with one INSERT … SELECT over transition tables. Only changed columns are kept;
-- what only says "seen again" (synced_at, updated_at, fingerprint) makes no row; secrets never enter.
-- INSERT into high-volume tables is not audited, as in the document.

-- It belongs to neanelu_pipeline and runs as it: audit_logs has FORCE ROW LEVEL SECURITY, and the row must be written
-- whoever makes the change and whatever shop is in the context.
GRANT CREATE ON SCHEMA public TO neanelu_pipeline;
SET LOCAL ROLE neanelu_pipeline;

-- The trigger's argument is the column that holds the shop; without one the table is global.
CREATE FUNCTION audit_log_changes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shop_column CONSTANT text := TG_ARGV[0];
    secrets CONSTANT text[] := ARRAY[
        'access_token_ciphertext', 'access_token_iv', 'access_token_tag', 'webhook_secret'
    ];
    unsaid CONSTANT text[] := secrets || ARRAY['synced_at', 'updated_at', 'fingerprint'];
    context_shop CONSTANT uuid := CASE WHEN shop_column IS NOT NULL THEN public.app_current_shop_id() END;
    context_user CONSTANT uuid := NULLIF(current_setting('app.current_user_id', true), '')::uuid;
    trace CONSTANT text := left(NULLIF(current_setting('app.trace_id', true), ''), 100);
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO public.audit_logs
            (shop_id, user_id, action, entity_type, entity_id, old_values, new_values, request_id)
        SELECT
            COALESCE((made.image ->> shop_column)::uuid, context_shop), context_user, TG_OP, TG_TABLE_NAME,
            (made.image ->> 'id')::uuid, NULL, made.image - secrets - 'fingerprint', trace
        FROM (SELECT to_jsonb(new_rows) AS image FROM new_rows) AS made;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO public.audit_logs
            (shop_id, user_id, action, entity_type, entity_id, old_values, new_values, request_id)
        SELECT
            COALESCE((gone.image ->> shop_column)::uuid, context_shop), context_user, TG_OP, TG_TABLE_NAME,
            (gone.image ->> 'id')::uuid, gone.image - secrets - 'fingerprint', NULL, trace
        FROM (SELECT to_jsonb(old_rows) AS image FROM old_rows) AS gone;
    ELSE
        -- FULL JOIN, so that changing a row's id does not slip through. MATERIALIZED, so that a row becomes JSON once and
        -- not once more for each of its columns: most of the time of an audited update went there.
        WITH pair AS MATERIALIZED (
            SELECT to_jsonb(old_rows) AS old_image, to_jsonb(new_rows) AS new_image
            FROM old_rows
            FULL JOIN new_rows ON new_rows.id = old_rows.id
        )
        INSERT INTO public.audit_logs
            (shop_id, user_id, action, entity_type, entity_id, old_values, new_values, request_id)
        SELECT
            COALESCE((row.image ->> shop_column)::uuid, context_shop), context_user, TG_OP, TG_TABLE_NAME,
            (row.image ->> 'id')::uuid, changed.old_values, changed.new_values, trace
        FROM pair
        CROSS JOIN LATERAL (SELECT COALESCE(pair.new_image, pair.old_image) AS image) AS row
        CROSS JOIN LATERAL (
            SELECT
                jsonb_object_agg(key, pair.old_image -> key) AS old_values,
                jsonb_object_agg(key, pair.new_image -> key) AS new_values
            FROM jsonb_object_keys(row.image) AS key
            WHERE pair.old_image -> key IS DISTINCT FROM pair.new_image -> key
                AND key <> ALL (unsaid)
        ) AS changed
        WHERE changed.new_values IS NOT NULL;
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION audit_log_changes() IS 'Writes what a statement changed into audit_logs';

-- Otherwise anyone could hang it on a temporary table and forge the trail.
REVOKE ALL ON FUNCTION audit_log_changes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_log_changes() TO neanelu_owner;

RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM neanelu_pipeline;
SET LOCAL ROLE neanelu_owner;

-- A trigger with transition tables has one event: what is one trigger in the document is up to three here.

CREATE TRIGGER shops_audit_insert AFTER INSERT ON shops
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_changes('id');
CREATE TRIGGER shops_audit_update AFTER UPDATE ON shops
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_changes('id');
CREATE TRIGGER shops_audit_delete AFTER DELETE ON shops
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_changes('id');

CREATE TRIGGER staff_users_audit_insert AFTER INSERT ON staff_users
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_changes('shop_id');
CREATE TRIGGER staff_users_audit_update AFTER UPDATE ON staff_users
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_changes('shop_id');
CREATE TRIGGER staff_users_audit_delete AFTER DELETE ON staff_users
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_changes('shop_id');

CREATE TRIGGER shopify_products_audit_update AFTER UPDATE ON shopify_products
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_changes('shop_id');
CREATE TRIGGER shopify_products_audit_delete AFTER DELETE ON shopify_products
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_changes('shop_id');

CREATE TRIGGER prod_master_audit_update AFTER UPDATE ON prod_master
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_changes();
CREATE TRIGGER prod_master_audit_delete AFTER DELETE ON prod_master
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_changes();

CREATE TRIGGER key_rotations_audit_insert AFTER INSERT ON key_rotations
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_changes();
CREATE TRIGGER key_rotations_audit_update AFTER UPDATE ON key_rotations
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_changes();
CREATE TRIGGER key_rotations_audit_delete AFTER DELETE ON key_rotations
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_changes();
