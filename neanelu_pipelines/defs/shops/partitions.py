"""The partitions definition that every shop-wise asset shares.

Belongs here: its name and what its keys mean. Does not belong here: who keeps it in step (`sensor`).
"""

import dagster as dg

SHOPS = dg.DynamicPartitionsDefinition(name="shops")
"""One partition per installed shop; the key is its *.myshopify.com domain, as `shops.shopify_domain` has it."""
