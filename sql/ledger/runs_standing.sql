-- Those of these runs that the ledger knows: whether each is over, and the names of its files that are known to be there.
SELECT r.id,
       r.status NOT IN ('pending', 'running'),
       ARRAY(SELECT substring(a.file_path FROM '[^/]*$')
               FROM bulk_artifacts a
              WHERE a.bulk_run_id = r.id
                AND a.deleted_at IS NULL)
  FROM bulk_runs r
 WHERE r.id = ANY (%(run_ids)s::uuid[])
