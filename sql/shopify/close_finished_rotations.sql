-- Rotations towards the current key that were killed when nothing was left to do: they are done.
UPDATE key_rotations AS rotation
SET status = 'completed', completed_at = clock_timestamp()
WHERE status = 'in_progress'
  AND key_version_new = %(current)s
  AND NOT EXISTS (
      SELECT FROM shops WHERE key_version = rotation.key_version_old AND access_token_ciphertext <> ''
  )
  AND NOT EXISTS (SELECT FROM shops WHERE substr(webhook_secret, 1, 4) = int4send(rotation.key_version_old))
