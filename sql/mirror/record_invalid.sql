-- Every line that a verdict found invalid gets its row of bulk_errors, once. A line that is a row and a link is both
-- when the row is wrong; then what is wrong with it says more than that its link leads nowhere.
WITH settled AS ({parts}), invalid AS (
  SELECT DISTINCT ON (line_number) line_number, node, validation_errors, payload
    FROM settled
   WHERE validation_status = 'invalid'
   ORDER BY line_number, validation_errors->0->>'code' = 'orphan'
)
INSERT INTO bulk_errors (bulk_run_id, shop_id, error_type, error_code, error_message, line_number, payload)
SELECT %(run_id)s, %(shop_id)s, 'VALIDATION', validation_errors->0->>'code', validation_errors->0->>'error',
       line_number, jsonb_strip_nulls(payload - 'validation_errors' - 'validation_status' - 'id' - 'raw_data')
  FROM invalid
