"""What the figures of the README come from: our load beside others', on one server, in one run.

Belongs here: the contenders, and running and reporting them. Does not belong here: the catalogue that they load
(`neanelu_pipelines.sandbox`), what the product itself needs.
"""
