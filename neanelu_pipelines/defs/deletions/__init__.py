"""Deletions in Dagster: when it is looked at what is gone in a shop.

Belongs here: the asset of the records, its jobs, sensor and schedule. Does not belong here: what is removed and why
(`neanelu_pipelines.mirror.removals`).
"""
