"""Privacy in Dagster: the requests that wait among the webhooks are answered.

Belongs here: the asset of the records, its job and sensor. Does not belong here: what an answer is
(`neanelu_pipelines.mirror.redaction`).
"""
