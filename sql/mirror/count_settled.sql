-- How many staged lines of each node type turned out to be rejected or ignored.
WITH settled AS ({parts}), by_line AS (
  SELECT line_number, min(node) AS node, bool_or(validation_status = 'invalid') AS rejected
    FROM settled
   GROUP BY line_number
)
SELECT node, count(*) FILTER (WHERE rejected), count(*) FILTER (WHERE NOT rejected) FROM by_line GROUP BY node
