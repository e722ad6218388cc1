"""The group `artifacts`: files in the artifact store, before anything of them is in the database.

Belongs here: assets that are files. Does not belong here: reading them (`staging`).
"""
