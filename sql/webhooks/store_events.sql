-- A batch of events and their keys, all or none. A key that is known makes no second event. Keys are inserted in their
-- order, so that two batches cannot wait for each other. The key's received_at is the event's created_at: together with
-- its id that is the event's primary key, and names its partition. A shop that was renamed is found by its former names.
WITH incoming AS MATERIALIZED (
  SELECT i.*, uuidv7() AS event_id, COALESCE(s.id, f.shop_id) AS shop_id
    FROM unnest(%(keys)s::text[], %(domains)s::text[], %(topics)s::text[], %(versions)s::text[], %(moments)s::timestamptz[],
                %(states)s::text[], %(reasons)s::text[], %(payloads)s::text[])
         WITH ORDINALITY AS i(key, domain, topic, version, triggered_at, state, reason, payload, place)
    LEFT JOIN shops s ON s.shopify_domain = i.domain::citext
    LEFT JOIN pipeline.former_domains f ON f.domain = i.domain::citext AND s.id IS NULL
),
claimed AS (
  INSERT INTO pipeline.webhook_keys (idempotency_key, shop_id, event_id, received_at, triggered_at, state)
  SELECT key, shop_id, event_id, now(), triggered_at, state
    FROM incoming
   WHERE shop_id IS NOT NULL
   ORDER BY key
  ON CONFLICT (idempotency_key) DO NOTHING
  RETURNING event_id
),
stored AS (
  INSERT INTO webhook_events (id, shop_id, topic, shopify_webhook_id, api_version, payload, hmac_verified, received_at,
                              processing_error, idempotency_key, created_at)
  SELECT event_id, shop_id, topic, key, version, payload::jsonb, true, now(), reason, key, now()
    FROM incoming
    JOIN claimed USING (event_id)
)
SELECT incoming.shop_id IS NOT NULL, claimed.event_id IS NOT NULL
  FROM incoming
  LEFT JOIN claimed USING (event_id)
 ORDER BY place
