"""A made-up shop with everything in it, made node by node when somebody looks.

Belongs here: what is in the shop, and what happened to it since (edits, deletions). Does not belong here: how the
Admin API shows it (`sandbox.admin`).
"""
