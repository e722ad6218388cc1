-- How many rows the shop of the tenant context has in a table.
SELECT count(*) FROM {table}
