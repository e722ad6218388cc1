-- What a privacy request says, as text: it may be JSON that nobody can decode. And the number of the shop whose it is.
-- One that a person has closed since it was listed says nothing any more.
SELECT e.payload::text, s.shopify_shop_id
  FROM pipeline.webhook_keys k
  JOIN webhook_events e ON e.id = k.event_id AND e.created_at = k.received_at
  JOIN shops s ON s.id = k.shop_id
 WHERE k.idempotency_key = %(request_key)s
   AND k.state <> 'dismissed'
