-- A mirror row's fingerprint says which Shopify lines it was made from; the loader skips rows whose fingerprint has
-- not changed. Whoever else changes a row, or its links to media, must therefore make it unknown (NULL).

SET LOCAL ROLE neanelu_owner;

CREATE FUNCTION forget_fingerprint() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.fingerprint := NULL;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION forget_fingerprint() IS 'Makes the fingerprint of a row unknown when somebody else changes the row';

-- The condition is checked without calling the function: the merge, which sets a new fingerprint, pays nearly nothing.
CREATE TRIGGER shopify_products_fingerprint BEFORE UPDATE ON shopify_products
    FOR EACH ROW WHEN (NEW.fingerprint = OLD.fingerprint AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint();
CREATE TRIGGER shopify_variants_fingerprint BEFORE UPDATE ON shopify_variants
    FOR EACH ROW WHEN (NEW.fingerprint = OLD.fingerprint AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint();
CREATE TRIGGER shopify_media_fingerprint BEFORE UPDATE ON shopify_media
    FOR EACH ROW WHEN (NEW.fingerprint = OLD.fingerprint AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint();

-- A row's fingerprint covers its links too. The merge says app.mirror_merge = 'on' in its own transaction.
CREATE FUNCTION forget_fingerprint_of_product() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE public.shopify_products SET fingerprint = NULL
    WHERE id IN (SELECT product_id FROM changed_rows) AND fingerprint IS NOT NULL;
    RETURN NULL;
END
$$;

CREATE FUNCTION forget_fingerprint_of_variant() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE public.shopify_variants SET fingerprint = NULL
    WHERE id IN (SELECT variant_id FROM changed_rows) AND fingerprint IS NOT NULL;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION forget_fingerprint_of_product() IS
    'Makes the fingerprint of products unknown whose media links change';
COMMENT ON FUNCTION forget_fingerprint_of_variant() IS
    'Makes the fingerprint of variants unknown whose media links change';

-- An update may move a link from one row to another: both forget.
CREATE TRIGGER shopify_product_media_fingerprint_insert AFTER INSERT ON shopify_product_media
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_product();
CREATE TRIGGER shopify_product_media_fingerprint_update_from AFTER UPDATE ON shopify_product_media
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_product();
CREATE TRIGGER shopify_product_media_fingerprint_update_to AFTER UPDATE ON shopify_product_media
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_product();
CREATE TRIGGER shopify_product_media_fingerprint_delete AFTER DELETE ON shopify_product_media
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_product();

CREATE TRIGGER shopify_variant_media_fingerprint_insert AFTER INSERT ON shopify_variant_media
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_variant();
CREATE TRIGGER shopify_variant_media_fingerprint_update_from AFTER UPDATE ON shopify_variant_media
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_variant();
CREATE TRIGGER shopify_variant_media_fingerprint_update_to AFTER UPDATE ON shopify_variant_media
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_variant();
CREATE TRIGGER shopify_variant_media_fingerprint_delete AFTER DELETE ON shopify_variant_media
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT WHEN (current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint_of_variant();
