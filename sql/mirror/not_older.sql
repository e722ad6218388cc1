-- The condition of merge_entity that mark_older is the opposite of: a later version, or a later export where the versions
-- do not tell or the mirror's lies ahead.
(m.{version} < excluded.{version}
 OR (COALESCE(m.{version} = excluded.{version}
              OR m.{version} > GREATEST(now(), excluded.synced_at) + interval '1 day', true)
     AND {shown} <= excluded.synced_at))
