"""Exports from Shopify as Dagster runs them: awaited for a while, gone on with by a sensor, begun by the clock.

Belongs here: what a run does with an export, the sensor, the schedules. Does not belong here: bulk operations
themselves (`neanelu_pipelines.shopify.bulk`), and what becomes of the result (`loads`).
"""
