-- Other requests of the shop, whatever became of them: nothing is left that they could be about, nor that they could
-- still do; and what they say names the shop. Also of those that another act about the shop has seen before.
UPDATE pipeline.redactions
   SET subject = NULL,
       of_shop = NULL,
       status = CASE WHEN status NOT IN ('running', 'hindered', 'residue') THEN status
                     WHEN kind = 'export' THEN 'refused'
                     ELSE 'completed'
                END,
       error = CASE WHEN status IN ('running', 'hindered', 'residue') AND kind = 'export'
                    THEN 'Its shop was forgotten before it was answered: nothing is left to be told.'
               END,
       proof = CASE WHEN status IN ('running', 'hindered', 'residue')
                    THEN jsonb_build_object('gone_with', %(id)s::uuid)
                    ELSE proof - 'file'
               END,
       completed_at = COALESCE(completed_at, clock_timestamp())
 WHERE id <> %(id)s
   AND (of_shop = %(shop_id)s
        OR (of_shop IS NULL AND (proof::text ~* %(pattern)s OR error ~* %(pattern)s)))
