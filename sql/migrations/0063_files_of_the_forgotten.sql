-- What was read before somebody was forgotten tells of them still, and nobody but a load takes them out of it.

SET LOCAL ROLE neanelu_owner;

CREATE FUNCTION pipeline.may_tell_of_forgotten(run bulk_runs) RETURNS BOOLEAN
    LANGUAGE sql STABLE
RETURN run.query_type IN ('customers', 'orders')
       AND EXISTS (SELECT
                     FROM pipeline.forgotten f
                    WHERE f.shop_id = run.shop_id
                      AND f.forgotten_at
                          >= COALESCE(CASE WHEN COALESCE((run.cursor_state ->> 'dated')::boolean, run.cursor_state ? 'bulk')
                                           THEN (run.cursor_state ->> 'as_of')::timestamptz
                                      END,
                                      '-infinity'));

COMMENT ON FUNCTION pipeline.may_tell_of_forgotten(bulk_runs) IS
    'Whether what a run read of customers or orders is from before somebody of the shop was forgotten, or does not say';
