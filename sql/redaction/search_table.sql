-- One pass over a table; how often each of its columns holds what is sought.
SELECT count(*), {counts} FROM {table} t WHERE {scope}
