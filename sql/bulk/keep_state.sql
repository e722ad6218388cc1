-- One row says all that is known of the run; `status` is 'pending' until the result is in the artifact store, so that
-- no load takes it up before. `result_url` stays empty: see shopify/bulk/ledger.py.
UPDATE bulk_runs
   SET status = %(status)s::text,
       shopify_operation_id = %(operation_id)s::text,
       idempotency_key = CASE WHEN %(status)s::text = 'pending' THEN idempotency_key END,
       cursor_state = cursor_state
                      || jsonb_build_object('bulk', cursor_state -> 'bulk' || %(state)s::jsonb)
                      || jsonb_strip_nulls(jsonb_build_object('as_of', %(as_of)s::text, 'source', %(source)s::text)),
       records_processed = %(records)s,
       bytes_processed = COALESCE(%(bytes)s, bytes_processed),
       retry_count = %(retries)s,
       error_message = %(error)s,
       completed_at = CASE WHEN %(status)s::text = 'failed' THEN clock_timestamp() END,
       updated_at = now()
 WHERE id = %(run_id)s
   AND status = 'pending'
RETURNING id
