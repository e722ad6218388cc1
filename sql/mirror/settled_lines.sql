-- The lines that the verdicts took out of {staging}, with the node type that the summary counts them under.
SELECT s.line_number, {node} AS node, s.validation_status, s.validation_errors, to_jsonb(s) AS payload
  FROM {staging} s
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status <> 'valid'
   AND {filter}
