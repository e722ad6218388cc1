-- A shop's rows by the month in which they last changed; what is older belongs to the first month.
SELECT GREATEST(to_char({version} AT TIME ZONE 'UTC', 'YYYY-MM'), %(first)s::text) AS month, count(*)
  FROM {table}
 WHERE {version} IS NOT NULL
 GROUP BY 1
