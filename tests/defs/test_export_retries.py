"""An export that is gone on with and meets a fault: it stays the one, until it has failed."""

import time

import dagster as dg
import pytest

from neanelu_pipelines.mirror.asking import Reach
from neanelu_pipelines.sandbox.admin import Trouble
from neanelu_pipelines.shopify.bulk.ledger import opened, read_export
from tests.defs.office import SLOW, MakeOffice, Office, mirrored, retries, sold


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dg.RetryPolicy, "calculate_delay", lambda *_: 0.01)


def left_to_the_sensor(office: Office, trouble: Trouble | None = None) -> dg.RunRequest:
    """An export of what changed since the last time, which its run did not wait for; the request to go on with it."""
    assert office.run().success
    [[gid]] = office.rows("SELECT shopify_gid FROM shopify_products ORDER BY 1 LIMIT 1")
    office.sandbox.shop(office.domain).update(gid, title="Greblă nouă")
    time.sleep(1.1)  # The present second is not over; a window ends before it.
    if trouble:
        office.sandbox.faults.add(trouble, shop=office.domain)
    office.sandbox.bulk(office.domain).pace = SLOW
    office.wait(0)
    assert office.run(since_last=True).success
    office.make_due()
    [request] = office.tick()
    office.wait(20)
    return request


def reaches(office: Office) -> list[Reach]:
    with opened(office.database) as book:
        return [Reach.of(read_export(book, row[0])) for row in office.rows("SELECT id FROM bulk_runs ORDER BY id")]


def test_a_lost_connection_leaves_it_the_only_one(make_office: MakeOffice) -> None:
    office = make_office()
    request = left_to_the_sensor(office)
    office.sandbox.faults.add(Trouble.STATUS, shop=office.domain, status=502)
    done = office.run(request)
    assert done.success
    assert retries(office, done.run_id) == 1
    assert office.states() == ["completed", "completed"], "the same export, and no other beside it"
    assert mirrored(office) == sold(office)


def test_after_it_failed_another_asks_for_the_same(make_office: MakeOffice) -> None:
    office = make_office()
    request = left_to_the_sensor(office, Trouble.BULK_FAILED)
    done = office.run(request)
    assert done.success
    assert retries(office, done.run_id) == 1
    assert office.states() == ["completed", "failed", "completed"]
    assert reaches(office) == [Reach(), Reach(since_last=True), Reach(since_last=True)]
    assert mirrored(office) == sold(office)
