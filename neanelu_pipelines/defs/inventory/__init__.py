"""Inventory in Dagster: what is checked of the ledger, and what is made from it.

Belongs here: checks and the view of present quantities. Does not belong here: loading, which is as for every resource.
"""
