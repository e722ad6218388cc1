INSERT INTO audit_logs (shop_id, action, entity_type, entity_id, new_values, request_id)
SELECT %(shop_id)s, %(action)s::text, %(kind)s::text, %(id)s, %(values)s, %(request_id)s
 WHERE NOT EXISTS (SELECT FROM audit_logs WHERE entity_type = %(kind)s::text AND entity_id = %(id)s)
