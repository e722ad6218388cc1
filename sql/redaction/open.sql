-- The record comes before the act, so that whoever dies half-way leaves what is needed to go on.
INSERT INTO pipeline.redactions AS r (request_key, kind, of_shop, subject, subject_hash)
VALUES (%(request_key)s, %(kind)s, %(shop_id)s, %(subject)s, %(subject_hash)s)
    ON CONFLICT (request_key) DO UPDATE
   SET attempts = r.attempts + 1,
       tried_at = clock_timestamp(),
       status = CASE WHEN r.status = 'completed' THEN r.status ELSE 'running' END,
       error = CASE WHEN r.status = 'completed' THEN r.error END,
       of_shop = CASE WHEN r.status = 'completed' THEN r.of_shop ELSE COALESCE(r.of_shop, excluded.of_shop) END,
       subject = CASE WHEN r.status = 'completed' THEN r.subject ELSE COALESCE(r.subject, excluded.subject) END
RETURNING r.id, r.status, r.removed, r.proof
