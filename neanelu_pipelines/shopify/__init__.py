"""What comes over Shopify's wire, and how it becomes frames.

Belongs here: the Admin API's client with its points and tokens, documents, bulk operations, the bytes of a bulk result
(`jsonl`) and the nodes in them (`nodes`). Does not belong here: where the rows of a shop go (`mirror`).
"""
