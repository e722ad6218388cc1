-- Events that a person has closed, the last one first, and of how many these are the first.
SELECT d.idempotency_key, s.shopify_domain::text, d.topic, d.received_at, d.dismissed_at, d.because, count(*) OVER ()
  FROM pipeline.dismissals d
  LEFT JOIN shops s ON s.id = d.shop_id
 WHERE %(domain)s::citext IS NULL OR s.shopify_domain = %(domain)s::citext
 ORDER BY d.dismissed_at DESC, d.idempotency_key
 LIMIT %(most)s
