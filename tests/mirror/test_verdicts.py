"""Verdicts asked side by side: of a clean file nothing more is asked, of any other they come to what they always do."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from neanelu_pipelines.mirror import river as steps
from neanelu_pipelines.mirror import verdicts
from neanelu_pipelines.mirror.reports import LoadReport
from tests.mirror.lines import River, catalogue, fates, gid, media, metafield, moment, product, variant

NOBODY = gid("Product", 404)
WRONG: dict[str, Sequence[bytes]] = {
    "repeated": catalogue(1),
    "repeated otherwise": [product(1, vendor="Altul"), variant(11, 1, price="9.99")],
    "orphans": [variant(90, 404), media(91, NOBODY), metafield(92, NOBODY)],
    "an orphan's own": [variant(90, 404), media(91, gid("ProductVariant", 90))],
    "older": [product(2, updatedAt="2001-01-01T00:00:00Z", vendor="Vechi")],
    "older, and none of them twice": [
        product(99, updatedAt="2001-01-01T00:00:00Z", vendor="Vechi"),
        variant(991, 99),
        media(992, gid("Product", 99)),
        metafield(993, gid("Product", 99)),
    ],
    "repeated and orphans": [product(1, vendor="Altul"), variant(90, 404), variant(90, 404, price="1.00")],
    "nothing": [],
}


def outcome(river: River, report: LoadReport) -> tuple[Any, ...]:
    said = "SELECT line_number, error_code, error_message FROM bulk_errors WHERE bulk_run_id = %s ORDER BY 1, 2"
    return fates(report), river.query(said, report.run_id), river.mirror()


@pytest.mark.parametrize("wrong", WRONG)
def test_side_by_side_they_come_to_the_same(river: River, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    outcomes = []
    for rows in (10**9, 0):
        monkeypatch.setattr(steps, "_BIG_LOAD_ROWS", rows)
        river.clear()
        # What is there already may be older or newer than the file; the rest comes with it.
        river.load([product(2), product(99)], as_of=moment(1))
        report = river.load([*catalogue(4), *WRONG[wrong]], as_of=moment(1) + timedelta(hours=1))
        outcomes.append(outcome(river, report))
    alone, beside = outcomes
    assert beside == alone


def test_a_clean_file_is_judged_once(river: River, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom its rows are and under whom they stand shows while they are staged: that is not asked of them again."""
    monkeypatch.setattr(steps, "_BIG_LOAD_ROWS", 0)
    answers: list[tuple[bool, bool]] = []
    ask = verdicts._true_of_none

    def asked(given: Sequence[verdicts.Verdict], *others: Any) -> bool:
        answers.append((any(verdict.of_identities for verdict in given), ask(given, *others)))
        return answers[-1][1]

    monkeypatch.setattr(verdicts, "_true_of_none", asked)

    river.load(catalogue(4))
    river.load([*catalogue(4), product(1, vendor="Altul")])

    assert answers == [(False, True), (True, False)]


def test_two_that_would_mark_the_same_rows_do_not_wait_for_each_other_for_ever(river: River) -> None:
    """Each holds a row that the other wants: PostgreSQL ends one of them, and what they say is true of some."""
    from threading import Barrier

    from psycopg import Connection

    from neanelu_pipelines.mirror.transactions import pipeline_transactions

    both = Barrier(2)
    touched = "UPDATE shops SET scopes = scopes WHERE shopify_domain = %s"
    domains = list(river.shops)

    def verdict(first: str, second: str) -> verdicts.Verdict:
        def mark(connection: Connection) -> int:
            connection.execute(touched, [first])
            both.wait()
            return connection.execute(touched, [second]).rowcount

        return verdicts.Verdict(mark)

    before = river.query("SELECT xmin::text FROM shops ORDER BY 1")
    with pipeline_transactions(river.database, 1) as begin:
        assert not verdicts._true_of_none([verdict(*domains), verdict(*reversed(domains))], begin, 2)
    assert river.query("SELECT xmin::text FROM shops ORDER BY 1") == before, "what they marked is taken back"
