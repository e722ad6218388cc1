-- Whether a run lives: what was last heard of it, and a hold on it while its rows are merged.

SET LOCAL ROLE neanelu_owner;

-- When it was made says nothing: Shopify may take days to answer an export, which is then loaded in minutes.
CREATE FUNCTION pipeline.last_sign(run bulk_runs) RETURNS TIMESTAMPTZ
    LANGUAGE sql STABLE
RETURN GREATEST(run.updated_at,
                run.started_at,
                (SELECT max(GREATEST(s.started_at, s.completed_at)) FROM bulk_steps s WHERE s.bulk_run_id = run.id));

COMMENT ON FUNCTION pipeline.last_sign(bulk_runs) IS
    'When a run was last heard of: its row was written, or a step of it began or ended';

-- The tenant may not write the ledger, and a lock on a row of it takes that right. It holds runs of its own shop: the
-- owner is under the same policy.
CREATE FUNCTION pipeline.hold_run(run_id UUID) RETURNS BOOLEAN
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM public.bulk_runs r WHERE r.id = run_id AND r.status = 'running' FOR SHARE;
    RETURN FOUND;
END
$$;

COMMENT ON FUNCTION pipeline.hold_run(UUID) IS
    'Whether a run is running, and if so keeps it so until the transaction ends: while its staged rows are nobody else''s';

REVOKE ALL ON FUNCTION pipeline.hold_run(UUID) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pipeline.hold_run(UUID) TO neanelu_tenant;
