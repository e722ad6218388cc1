UPDATE {table} t SET {assignments} WHERE {scope} AND ({matches})
