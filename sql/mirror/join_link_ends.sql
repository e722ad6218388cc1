-- The rows at both ends of a link `l`, of the parents in this share.
JOIN {parent_staging} s ON s.bulk_run_id = %(run_id)s
                       AND s.validation_status = 'valid'
                       AND s.shopify_gid = l.parent_gid
                       AND {share}
JOIN {parent_table} parent ON parent.shop_id = %(shop_id)s AND parent.shopify_gid = l.parent_gid
JOIN {child_table} child ON child.shop_id = %(shop_id)s AND child.shopify_gid = l.child_gid
