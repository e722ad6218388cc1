-- Events about somebody who was forgotten, from before that, which came or waited until after it.
UPDATE webhook_events e
   SET payload = %(empty)s::jsonb
  FROM pipeline.webhook_keys k
 WHERE k.event_id = e.id
   AND k.received_at = e.created_at
   AND e.shop_id = %(shop_id)s
   AND (e.topic LIKE 'customers/%%' OR e.topic LIKE 'orders/%%')
   AND e.topic NOT IN ('customers/redact', 'customers/data_request')
   AND EXISTS (SELECT
                 FROM pipeline.forgotten f
                WHERE f.shop_id = %(shop_id)s
                  AND f.forgotten_at >= k.triggered_at
                  AND f.digest IN (pipeline.digest_of(
                                     %(shop_id)s,
                                     CASE WHEN e.topic LIKE 'orders/%%' THEN 'gid://shopify/Order/'
                                          ELSE 'gid://shopify/Customer/'
                                     END || (e.payload ->> 'id')),
                                   pipeline.digest_of(
                                     %(shop_id)s, 'gid://shopify/Customer/' || (e.payload -> 'customer' ->> 'id')),
                                   pipeline.digest_of(%(shop_id)s, 'email:' || (e.payload ->> 'email'))))
