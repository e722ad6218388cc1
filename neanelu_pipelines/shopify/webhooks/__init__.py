"""Webhooks: received, kept, and turned into what the mirror's one way of writing takes.

Belongs here: signatures (`signature`), what the headers say (`envelope`), keeping events (`inbox`), the ASGI app
(`endpoint`), REST bodies as nodes (`products`) and working off what was kept (`processing`). Does not belong here:
merging, which processing is handed, and Dagster.
"""
