"""Batch after batch, over all shops: no shop holds up another.

Belongs here: which shop comes next, and when it ends. Does not belong here: a batch (`processing`), and when it begins.
"""

import time
from collections.abc import Collection, Iterator
from uuid import UUID

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.shopify.webhooks.hands import Hands
from neanelu_pipelines.shopify.webhooks.processing import Batch, HinderedError, process_batch


def work_off(
    database: Database,
    hands: Hands,
    *,
    job_id: str | None = None,
    seconds: float,
    leave_out: Collection[UUID] = (),
) -> Iterator[Batch]:
    """Process batches until nothing is new or the time is up; it is looked at before a batch begins.

    Shops in `leave_out` keep their events.

    A shop whose rows are busy, that is hindered or whose events fail in number is left out: it is the next round's.

    Raises:
        HinderedError: of the first shop that was hindered; when all the others are done.
        psycopg.Error: the database is away; at once.
    """
    left_out = set(leave_out)
    hindered: HinderedError | None = None
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            batch = process_batch(database, hands, job_id=job_id, leave_out=left_out)
        except HinderedError as error:
            hindered = hindered or error
            left_out.add(error.shop_id)
            continue
        if batch is None:
            break
        yield batch
        if batch.busy or batch.stopped or not batch.settled:
            left_out.add(batch.shop_id)
    if hindered is not None:
        raise hindered
