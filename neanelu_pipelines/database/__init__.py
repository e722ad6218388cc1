"""PostgreSQL: roles and tenant context, statements from sql/, COPY, migrations, partitions, the embedded server.

Belongs here: what any room needs in order to talk to the database. Does not belong here: what is said (a merge, a
ledger entry, a queue), which lives in the room whose business it is; and nothing here imports another room.
"""
