"""What comes over Shopify's wire, and how it becomes frames.

Belongs here: the bytes of a bulk result (`jsonl`), the nodes in them (`nodes`); later the GraphQL client, bulk
operations and webhooks. Does not belong here: where rows go (`mirror`) and anything about PostgreSQL.
"""
