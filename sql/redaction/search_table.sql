-- One pass over a table; how often each of its columns holds what is sought, by whose rows they are.
SELECT {whose} AS whose, count(*), {counts} FROM {table} t WHERE {scope} GROUP BY 1
