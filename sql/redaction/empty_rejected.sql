-- Rejected lines that name somebody who was forgotten since; and those that cannot be read far enough to know.
UPDATE bulk_errors e
   SET payload = %(empty)s::jsonb,
       error_message = 'It tells of a customer who was forgotten, or may do so: what it says is not kept.'
 WHERE e.bulk_run_id = %(run_id)s
   AND ((e.error_type = 'PARSE' AND e.payload::text !~ 'gid:[\\/]+shopify[\\/]+(Customer|Order)[\\/]+[0-9]')
        OR EXISTS (SELECT
                     FROM regexp_matches(concat_ws(' ', e.payload::text, e.error_message),
                                         'gid:[\\/]+shopify[\\/]+(Customer|Order)[\\/]+([0-9]+)', 'g') AS named (part)
                     JOIN pipeline.forgotten f
                       ON f.shop_id = %(shop_id)s
                      AND f.digest = pipeline.digest_of(%(shop_id)s, 'gid://shopify/' || part[1] || '/' || part[2])
                      AND f.forgotten_at >= COALESCE(%(said_as_of)s::timestamptz, '-infinity'))
        OR EXISTS (SELECT
                     FROM regexp_matches(e.payload::text, '[a-z0-9._%%+-]+@[a-z0-9.-]+', 'gi') AS named (part)
                     JOIN pipeline.forgotten f
                       ON f.shop_id = %(shop_id)s
                      AND f.digest = pipeline.digest_of(%(shop_id)s, 'email:' || part[1])
                      AND f.forgotten_at >= COALESCE(%(said_as_of)s::timestamptz, '-infinity')))
