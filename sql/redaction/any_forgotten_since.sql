-- Whether somebody was forgotten since this moment; of a file that does not say when it was taken, ever.
SELECT EXISTS (SELECT
                 FROM pipeline.forgotten
                WHERE shop_id = %(shop_id)s
                  AND forgotten_at >= COALESCE(%(said_as_of)s::timestamptz, '-infinity'))
