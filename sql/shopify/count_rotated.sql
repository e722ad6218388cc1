-- So many tokens more are under the new key.
UPDATE key_rotations SET records_updated = records_updated + %(count)s WHERE id = %(rotation_id)s
