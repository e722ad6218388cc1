-- What the rows of a share own, and no others: folding all of it for every share would be half of what the joins take.
AND parent_gid IN (SELECT s.shopify_gid FROM {staging} s WHERE s.bulk_run_id = %(run_id)s AND {share})
