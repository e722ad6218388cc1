-- An order stays when its customer's row goes, and customer_id is empty then. It keeps the GID of its customer: that is
-- how it is found when the customer is to be forgotten, under whatever address it was made.

SET LOCAL ROLE neanelu_owner;

ALTER TABLE shopify_orders ADD COLUMN customer_gid VARCHAR(100) COLLATE "C";

COMMENT ON COLUMN shopify_orders.customer_gid IS
    'GID of the customer who ordered, whether the mirror has the customer or not; NULL = Shopify names none, or the order '
    'was last loaded before this column was, and the customer''s row was gone';

RESET ROLE;
SET LOCAL ROLE neanelu_pipeline;
SET LOCAL app.mirror_merge = 'on';

UPDATE shopify_orders o
   SET customer_gid = c.shopify_gid
  FROM shopify_customers c
 WHERE c.id = o.customer_id;

RESET ROLE;
