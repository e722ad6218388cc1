-- Bodies that PostgreSQL could not hold as JSON are kept as bytes, into which nobody looks: any may hold the person.
-- Not those of requests that are to be answered.
UPDATE webhook_events
   SET payload = %(empty)s::jsonb
 WHERE shop_id = %(shop_id)s
   AND payload ? 'base64'
   AND payload - 'base64' = '{}'
   AND NOT pipeline.is_open_request(topic, idempotency_key, %(request)s)
