-- A staged product is written once, read once and gone: compressing its description and moving it aside costs a third of
-- its COPY. Its row stays whole in its page; a larger one is moved aside as ever.

SET LOCAL ROLE neanelu_owner;

ALTER TABLE staging_products SET (toast_tuple_target = 8160);
