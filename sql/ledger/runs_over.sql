-- Which of these runs are over, and the names of their files that the ledger knows to be there.
SELECT r.id,
       ARRAY(SELECT substring(a.file_path FROM '[^/]*$')
               FROM bulk_artifacts a
              WHERE a.bulk_run_id = r.id
                AND a.deleted_at IS NULL)
  FROM bulk_runs r
 WHERE r.id = ANY (%(run_ids)s::uuid[])
   AND r.status NOT IN ('pending', 'running')
