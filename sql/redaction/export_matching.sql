SELECT to_jsonb(t) FROM {table} t WHERE {scope} AND ({matches})
