"""A load: one declared resource of one shop, from an artifact through staging into the mirror.

Belongs here: the job and what its three steps (in `artifacts`, `staging`, `mirror`) share. Does not belong here: what
a step does to the data; that is `neanelu_pipelines.mirror`.
"""
