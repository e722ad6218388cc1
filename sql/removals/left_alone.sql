-- What nothing is linked with any more when these rows go, and that stays: each one's GID, and each row's place in the list.
SELECT told.place, c.shopify_gid
  FROM unnest(%(keys)s::uuid[]) WITH ORDINALITY AS told (key, place)
  JOIN {link_table} l ON l.{parent_column} = told.key
  JOIN {child_table} c ON c.{child_key} = l.{child_column}
 WHERE NOT EXISTS (SELECT
                     FROM {link_table} other
                    WHERE other.{child_column} = l.{child_column}
                      AND other.{parent_column} <> ALL (%(keys)s::uuid[]))
   {and_not_linked}
