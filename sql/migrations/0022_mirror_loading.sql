-- What the loader needs beside the document: how the hashes of a row's lines become its fingerprint, and which media
-- of a product is its featured one, until the merge has turned it into a link and a picture.

SET LOCAL ROLE neanelu_owner;

CREATE FUNCTION pipeline.fingerprint(hashes NUMERIC) RETURNS BIGINT
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN mod(hashes, 9223372036854775783)::bigint;

COMMENT ON FUNCTION pipeline.fingerprint(NUMERIC) IS
    'The fingerprint of a mirror row from the sum of the 64-bit hashes of its lines; their order does not matter.';

ALTER TABLE staging_products ADD COLUMN featured_media_gid VARCHAR(100);
COMMENT ON COLUMN staging_products.featured_media_gid IS 'The GID of the featured media; the merge makes a link of it';

-- After a big merge the loader refreshes the statistics of what it joins on: a shop that was just loaded for the first
-- time is in none, and the planner would take its rows for a handful.
GRANT MAINTAIN ON shopify_products, shopify_variants, shopify_media, shopify_product_media, shopify_variant_media
   TO neanelu_pipeline;
