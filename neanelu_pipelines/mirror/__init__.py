"""The mirror: staging, validation and merge of what Shopify sent; one declaration per resource, no code per resource.

Belongs here: the declarations (`resources/`), the ledger of a load, the passes over its artifact, the merge. The one
way to write a mirror table leads through here, for bulk results and for webhooks. Does not belong here: talking to
Shopify, the shape of its bytes (`shopify`), and when anything runs (`defs`).
"""
