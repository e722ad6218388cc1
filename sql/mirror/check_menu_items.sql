-- Menus with items that cannot be rows: without an id or a title, with what is too long, or with one that stands twice.
WITH told AS (
  SELECT s.line_number, i.gid, i.item,
         count(*) OVER (PARTITION BY i.gid) AS times
    FROM pipeline.staging_menus s
   CROSS JOIN LATERAL pipeline.menu_items(s.items) AS i
   WHERE s.bulk_run_id = %(run_id)s
     AND s.validation_status = 'valid'
), wrong AS (
  SELECT line_number,
         min(COALESCE(gid, '(without an id)')
             || CASE WHEN gid IS NULL THEN ''
                     WHEN item ->> 'title' IS NULL THEN ' has no title'
                     WHEN times > 1 THEN ' stands in more than one place'
                     ELSE ' has an id, a type or a resource that is too long' END) AS what
    FROM told
   WHERE gid IS NULL
      OR item ->> 'title' IS NULL
      OR times > 1
      OR length(gid) > 100
      OR length(item ->> 'type') > 50
      OR length(item ->> 'resourceId') > 100
   GROUP BY line_number
)
UPDATE pipeline.staging_menus s
   SET validation_status = 'invalid',
       validation_errors = jsonb_build_array(jsonb_build_object('code', 'bad_item', 'error', 'Its item ' || w.what || '.'))
  FROM wrong w
 WHERE s.bulk_run_id = %(run_id)s
   AND s.line_number = w.line_number
