"""`python -m benchmarks.run`: the performance figures of the README, measured here and now.

Belongs here: options, tables, JSON. Does not belong here: what is measured, and how (`measure`).
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.databases import made_up
from benchmarks.measure import SCENARIOS, Runs, Size, by_size, compare, growth, ratios
from benchmarks.worker import CONTENDERS, contender
from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.database.server import open_database
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.settings import settings

_MB = 1_000_000


def bench(
    server: Database,
    *,
    contenders: Sequence[str] = CONTENDERS,
    products: int = 20_000,
    repeats: int = 3,
    sizes: Sequence[int] = (),
    as_json: bool = False,
) -> None:
    """Measure on that server and print: the comparison, then, if `sizes` (in MB) are given, memory and growth by size.

    With `as_json` the figures are one JSON object on standard output; what is going on is said on standard error.

    Raises:
        UnknownContenderError: a name that no contender has.
        ContenderFailedError: one of them did not get through.
    """
    log = Console(stderr=True, highlight=False)
    for name in contenders:
        contender(name)
    with made_up(server) as bed:
        runs = (
            compare(bed, contenders=contenders, products=products, repeats=repeats, progress=log.print)
            if repeats
            else []
        )
        measured = by_size(bed, contender="ours", megabytes=sizes, progress=log.print) if sizes else []
    if as_json:
        print(json.dumps(_as_data(runs, measured), indent=2))
    else:
        _print(Console(highlight=False), runs, measured)


def _as_data(runs: Sequence[Runs], sizes: Sequence[Size]) -> dict[str, Any]:
    return {
        "runs": [{**asdict(run), "median": run.median, "mb_per_second": run.rate} for run in runs],
        "times_as_fast": ratios(runs),
        "sizes": [{**asdict(size), "seconds_per_mb": size.seconds_per_mb} for size in sizes],
        "growth": growth(sizes) if sizes else None,
    }


def _print(console: Console, runs: Sequence[Runs], sizes: Sequence[Size]) -> None:
    if runs:
        console.print(_comparison(runs))
    if sizes:
        console.print(_sizes(sizes))
        console.print(f"Seconds per MB from the smallest file to the largest: {growth(sizes):+.0%}")


def _comparison(runs: Sequence[Runs]) -> Table:
    faster = ratios(runs)
    table = Table(title=f"{runs[0].bytes / _MB:.0f} MB, {runs[0].rows:,} lines, median of {len(runs[0].seconds)}")
    for heading in ("scenario", "contender", "seconds", "MB/s", "peak MB", "ours is … times as fast"):
        table.add_column(heading, justify="left" if heading in {"scenario", "contender"} else "right")
    for scenario in SCENARIOS:
        for run in (run for run in runs if run.scenario == scenario):
            times = faster.get(scenario, {}).get(run.contender)
            table.add_row(
                scenario,
                run.contender,
                f"{run.median:.2f}",
                f"{run.rate:.1f}",
                f"{max(run.peak_rss) / _MB:.0f}",
                "" if times is None else f"{times:.2f}",
            )
        table.add_section()
    return table


def _sizes(sizes: Sequence[Size]) -> Table:
    table = Table(title="First load by size")
    for heading in ("MB", "seconds", "seconds per MB", "peak MB"):
        table.add_column(heading, justify="right")
    for size in sizes:
        table.add_row(
            f"{size.bytes / _MB:,.0f}",
            f"{size.seconds:.2f}",
            f"{size.seconds_per_mb:.4f}",
            f"{size.peak_rss / _MB:.0f}",
        )
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; exit status 0 only when everything was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--products", type=int, default=20_000, help="how large a catalogue to compare on")
    parser.add_argument("--repeats", type=int, default=3, help="how often; 0 leaves the comparison out")
    parser.add_argument("--contenders", default=",".join(CONTENDERS), help="which ones, separated by commas")
    parser.add_argument("--sizes", default="", help="also load files of these many MB, e.g. 100,1000: memory, growth")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        bench(
            open_database(settings()),
            contenders=options.contenders.split(","),
            products=options.products,
            repeats=options.repeats,
            sizes=[int(size) for size in options.sizes.split(",") if size],
            as_json=options.json,
        )
    except NeaneluError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
