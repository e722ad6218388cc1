SELECT of_shop, subject FROM pipeline.redactions WHERE request_key = %(request_key)s AND status <> 'completed'
