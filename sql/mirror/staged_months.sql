-- The months of the changes that are to be merged. What lies before Shopify was founded, or ahead, is no month to make
-- room for: a ledger keeps such an entry in its DEFAULT partition, which a check demands to be empty.
SELECT DISTINCT date_trunc('month', s.{version}, 'UTC') AS month
  FROM {staging} s
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND s.{version} BETWEEN '2006-01-01' AND now() + interval '1 month'
 ORDER BY month
