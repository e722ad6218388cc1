-- What the shop was called. What it is called again is no former name of it any more.
WITH again AS (
    DELETE FROM pipeline.former_domains WHERE shop_id = %(shop_id)s AND domain = %(shop_domain)s::citext
)
INSERT INTO pipeline.former_domains (domain, shop_id)
VALUES (%(former)s::citext, %(shop_id)s)
