-- What the loader needs beside the document: how the hashes of a row's lines become its fingerprint, and which media
-- of a product is its featured one, until the merge has turned it into a link and a picture.

SET LOCAL ROLE neanelu_owner;

CREATE FUNCTION pipeline.fingerprint(hashes NUMERIC) RETURNS BIGINT
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN mod(hashes, 9223372036854775783)::bigint;

COMMENT ON FUNCTION pipeline.fingerprint(NUMERIC) IS
    'The fingerprint of a mirror row from the sum of the 64-bit hashes of its lines; their order does not matter.';

ALTER TABLE staging_products ADD COLUMN featured_media_gid VARCHAR(100) COLLATE "C";
COMMENT ON COLUMN staging_products.featured_media_gid IS 'The GID of the featured media; the merge makes a link of it';
