"""Bulk operations: from a query to a complete, verified file in the artifact store.

`begin` writes the run to the ledger, `advance` takes it as far as it can go in the time it is given, in any process,
any number of times. Belongs here: the life of an operation and its result. Does not belong here: what the lines mean.

    query ─> ledger row ─> started ─> polled ─> fetched in pieces ─> verified ─> artifact (the row goes on as a load)

What takes an operation for each type (`kinds`) goes round from started to verified, and then becomes one artifact.
"""
