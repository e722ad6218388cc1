-- The lines of a load that were rejected, each with its first reason.
SELECT DISTINCT ON (line_number) line_number, error_message
  FROM bulk_errors
 WHERE bulk_run_id = %(run_id)s
   AND line_number IS NOT NULL
 ORDER BY line_number, error_code
