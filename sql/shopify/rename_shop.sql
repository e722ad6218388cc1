-- The shop has another domain now; all that is its own stays its own.
UPDATE shops SET shopify_domain = %(shop_domain)s::citext, updated_at = now() WHERE id = %(shop_id)s
