-- Events about somebody who was forgotten, from before that, which came or waited until after it. One that somebody has
-- in hand is let be: they may wait for us.
UPDATE webhook_events e
   SET payload = %(empty)s::jsonb
  FROM (SELECT l.id, l.created_at
          FROM pipeline.webhook_keys k
          JOIN webhook_events l ON l.id = k.event_id AND l.created_at = k.received_at
         WHERE l.shop_id = %(shop_id)s
           AND (l.topic LIKE 'customers/%%' OR l.topic LIKE 'orders/%%')
           AND l.topic NOT IN ('customers/redact', 'customers/data_request')
           AND EXISTS (SELECT
                         FROM pipeline.forgotten f
                        WHERE f.shop_id = %(shop_id)s
                          AND f.forgotten_at >= k.triggered_at
                          AND f.digest IN (pipeline.digest_of(
                                             %(shop_id)s,
                                             CASE WHEN l.topic LIKE 'orders/%%' THEN 'gid://shopify/Order/'
                                                  ELSE 'gid://shopify/Customer/'
                                             END || (l.payload ->> 'id')),
                                           pipeline.digest_of(
                                             %(shop_id)s,
                                             'gid://shopify/Customer/' || (l.payload -> 'customer' ->> 'id')),
                                           pipeline.digest_of(%(shop_id)s, 'email:' || (l.payload ->> 'email'))))
           FOR UPDATE OF l SKIP LOCKED) AS late
 WHERE e.id = late.id
   AND e.created_at = late.created_at
