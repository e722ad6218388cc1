-- Of these requests to be told, those that were answered, or came to nothing, before that moment.
SELECT id
  FROM pipeline.redactions
 WHERE id = ANY (%(ids)s)
   AND kind = 'export'
   AND completed_at < %(before)s
