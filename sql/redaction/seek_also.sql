-- What else is sought is written down before the rows that say it go: whoever dies half-way is followed by one who seeks
-- it, too. Returns all of it.
UPDATE pipeline.redactions r
   SET subject = COALESCE(r.subject, '{}') || jsonb_build_object(
         'emails', (SELECT COALESCE(jsonb_agg(DISTINCT one.said), '[]')
                      FROM jsonb_array_elements(COALESCE(r.subject -> 'emails', '[]') || %(emails)s) AS one (said)),
         'phones', (SELECT COALESCE(jsonb_agg(DISTINCT one.said), '[]')
                      FROM jsonb_array_elements(COALESCE(r.subject -> 'phones', '[]') || %(phones)s) AS one (said)))
 WHERE r.id = %(request)s
RETURNING r.subject -> 'emails', r.subject -> 'phones'
