-- One row per kind of rejection, with its first line as an example.
SELECT error_code,
       count(*),
       min(line_number),
       (array_agg(error_message ORDER BY line_number))[1]
  FROM bulk_errors
 WHERE bulk_run_id = %(run_id)s
 GROUP BY error_code
 ORDER BY count(*) DESC, error_code
