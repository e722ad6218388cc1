-- A set of a product's publications that is removed takes its rows with it: Shopify has no such product any more, though
-- the mirror may still have it. A variant's set of media does so since 0055.

SET LOCAL ROLE neanelu_owner;

CREATE FUNCTION pipeline.unpublish_product() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM public.shopify_resource_publications p
     USING removed
     WHERE p.shop_id = removed.shop_id
       AND p.resource_type = 'Product'
       AND p.resource_id = removed.product_id;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION pipeline.unpublish_product() IS 'Removes the rows of a product whose set of publications is removed';

CREATE TRIGGER product_publications_rows AFTER DELETE ON pipeline.product_publications
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION pipeline.unpublish_product();
