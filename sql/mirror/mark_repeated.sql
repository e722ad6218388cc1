-- The same node twice in one file. Its newest version stays; of equally new ones the one with the largest fingerprint,
-- wherever it stands: no meaning is read into the order of lines. Another line with the same content is a duplicate and
-- ignored, one with other content is invalid.
WITH repeated AS (
  SELECT {identity}
    FROM {staging}
   WHERE bulk_run_id = %(run_id)s
     AND validation_status = 'valid'
   GROUP BY {identity}
  HAVING count(*) > 1
), ranked AS (
  SELECT s.line_number,
         {qualified_identity},
         s.fingerprint = first_value(s.fingerprint) OVER best AS same,
         first_value(s.line_number) OVER best AS kept
    FROM {staging} s
    JOIN repeated USING ({identity})
   WHERE s.bulk_run_id = %(run_id)s
     AND s.validation_status = 'valid'
  WINDOW best AS (PARTITION BY {qualified_identity} ORDER BY {version} DESC NULLS LAST, s.fingerprint DESC,
                            s.line_number DESC)
)
UPDATE {staging} s
   SET validation_status = CASE WHEN r.same THEN 'duplicate' ELSE 'invalid' END,
       validation_errors = jsonb_build_array(jsonb_build_object(
         'code', 'conflicting_duplicate',
         'error', 'Line ' || r.kept || ' holds another version of the same node, as new or newer, and was taken.'))
  FROM ranked r
 WHERE s.bulk_run_id = %(run_id)s
   AND s.line_number = r.line_number
   AND {same_identity}
   AND r.line_number <> r.kept
