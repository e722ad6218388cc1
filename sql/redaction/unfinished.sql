-- Redactions of shops that were begun and not ended: their events may have gone with the shop.
SELECT request_key, subject ->> 'domain', (subject ->> 'asked_at')::timestamptz
  FROM pipeline.redactions
 WHERE kind = 'shop'
   AND status = 'running'
   AND subject IS NOT NULL
