-- When a shop that has or had this domain was last forgotten. The record holds no name: whoever knows it can tell that it
-- is the one.
SELECT max(completed_at)
  FROM pipeline.redactions
 CROSS JOIN LATERAL (
         SELECT encode(sha256(convert_to(request_key || E'\n' || lower(%(shop_domain)s), 'UTF8')), 'hex')
       ) AS digest (of_domain)
 WHERE kind = 'shop'
   AND status IN ('completed', 'residue')
   AND (subject_hash = digest.of_domain OR proof -> 'hashes' -> 'former' ? digest.of_domain)
