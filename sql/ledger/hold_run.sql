-- Whether the load runs, and if so that nobody ends it before this transaction does: whoever did could empty its staging.
SELECT pipeline.hold_run(%(run_id)s)
