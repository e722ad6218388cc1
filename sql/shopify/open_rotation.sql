-- The rotation between two keys that is under way, or a new one: one that was killed half-way goes on in its own row.
WITH under_way AS (
    SELECT id
    FROM key_rotations
    WHERE status = 'in_progress' AND key_version_old = %(old)s AND key_version_new = %(new)s
    ORDER BY started_at
    LIMIT 1
), opened AS (
    INSERT INTO key_rotations (key_version_old, key_version_new)
    SELECT %(old)s, %(new)s
    WHERE NOT EXISTS (SELECT FROM under_way)
    RETURNING id
)
SELECT id FROM under_way UNION ALL SELECT id FROM opened
