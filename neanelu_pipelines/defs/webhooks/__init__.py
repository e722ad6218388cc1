"""Webhooks in Dagster: working off the events that the endpoint kept.

Belongs here: when it is done, and the mirror's one way of writing, handed to it. Does not belong here: the events.
"""
