"""The group `mirror`: each shop's rows as Shopify has them.

Belongs here: the merge as a step. Does not belong here: what the merge does.
"""
