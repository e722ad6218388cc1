-- What happens to a link that is there. Rows that were not there a moment ago have none, and insert_links goes without.
ON CONFLICT ({parent_column}, {child_column}) DO UPDATE
   SET position = excluded.position{featured_assignment}, updated_at = now()
 WHERE (m.position{featured_old}) IS DISTINCT FROM (excluded.position{featured_new})
