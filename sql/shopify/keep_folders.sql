-- Exports under way go on where they began: their pieces lie below the folder of the shop's former name.
UPDATE bulk_runs
SET cursor_state = cursor_state || jsonb_build_object('folder', %(former)s::text)
WHERE shop_id = %(shop_id)s AND status = 'pending' AND cursor_state ? 'bulk' AND NOT cursor_state ? 'folder'
