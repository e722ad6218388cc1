-- Rows whose line does not carry all that a row needs, of which the mirror has none.
UPDATE {staging} s
   SET validation_status = 'invalid',
       validation_errors = jsonb_build_array(jsonb_build_object(
         'code', 'missing_required',
         'error', (SELECT string_agg(absent.field, ', ' ORDER BY absent.field)
                     FROM jsonb_array_elements_text(s.validation_errors) AS absent (field)
                    WHERE absent.field = ANY (%(required)s))
                  || ' is missing, and the mirror has no such row that could keep it.'))
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'incomplete'
