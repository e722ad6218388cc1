-- What is proved is forgotten here too; what is not is kept, so that it can be done again.
UPDATE pipeline.redactions
   SET status = %(status)s::text,
       removed = %(removed)s,
       proof = %(proof)s,
       error = %(error)s,
       subject = CASE WHEN %(status)s::text IN ('completed', 'refused') THEN NULL ELSE subject END,
       of_shop = CASE WHEN %(status)s::text = 'completed' AND kind = 'shop' THEN NULL ELSE of_shop END,
       completed_at = clock_timestamp()
 WHERE id = %(id)s
