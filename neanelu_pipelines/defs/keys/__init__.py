"""The keys of the shops' access tokens.

Belongs here: the asset that changes them. Does not belong here: how (`neanelu_pipelines.shopify.rotation`).
"""
