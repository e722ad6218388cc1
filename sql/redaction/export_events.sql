-- Events that are about these customers or these orders (also what belongs to an order: its fulfilments, its refunds);
-- one that only mentions them is somebody else's.
SELECT to_jsonb(e)::text
  FROM webhook_events e
 WHERE e.shop_id = %(shop_id)s
   AND ((e.topic LIKE 'customers/%%' AND e.payload ->> 'id' = ANY (%(customers)s))
        OR (e.topic LIKE ANY ('{customers/%%,orders/%%}') AND e.payload -> 'customer' ->> 'id' = ANY (%(customers)s))
        OR (e.topic LIKE 'orders/%%' AND e.payload ->> 'id' = ANY (%(orders)s))
        OR e.payload ->> 'order_id' = ANY (%(orders)s))
 ORDER BY e.created_at
