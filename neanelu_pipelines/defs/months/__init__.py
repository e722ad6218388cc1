"""Months of what grows for years (orders, customers), as Dagster loads them: a shop's past in a few bulk operations.

Belongs here: the partitions by shop and month, the asset of each resource that is asked for by month, and what is told
of its months. Does not belong here: what a window is (`shopify.windows`), loading (`loads`).
"""
