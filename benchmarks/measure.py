"""The measurements: contenders side by side, memory at given sizes, time per megabyte as the file grows.

Belongs here: what is loaded, in which order, how often, and what is made of the figures. Does not belong here:
printing them (`run`) and the contenders.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.databases import Bed
from benchmarks.worker import load
from neanelu_pipelines.sandbox.catalogue import write_products

SCENARIOS = ("first", "again", "changed")
"""A first load; the same file again; the catalogue again with 1 % of its products changed."""

CHANGED_SHARE = 0.01
_BYTES_A_PRODUCT = 4734
_MB = 1_000_000

Progress = Callable[[str], None]


@dataclass
class Runs:
    """The runs of one contender in one scenario."""

    contender: str
    scenario: str
    bytes: int
    rows: int
    seconds: list[float] = field(default_factory=list)
    peak_rss: list[int] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median of its times, in seconds."""
        return statistics.median(self.seconds)

    @property
    def rate(self) -> float:
        """Megabytes (10⁶ bytes) a second, by the median."""
        return self.bytes / self.median / _MB


@dataclass(frozen=True)
class Size:
    """One first load of a file of a given size."""

    bytes: int
    seconds: float
    peak_rss: int

    @property
    def seconds_per_mb(self) -> float:
        """Seconds per megabyte (10⁶ bytes)."""
        return self.seconds / (self.bytes / _MB)


def compare(
    bed: Bed, *, contenders: Sequence[str], products: int, repeats: int, progress: Progress = lambda _: None
) -> list[Runs]:
    """All contenders through all scenarios, `repeats` times, each time from a fresh database.

    Each repeat starts with another contender: a machine that slows down or speeds up does so for all of them.
    """
    found: dict[tuple[str, str], Runs] = {}
    with TemporaryDirectory(prefix="neanelu-bench-") as folder:
        files = _files(Path(folder), products)
        for repeat in range(repeats):
            turn = repeat % len(contenders)
            for name in (*contenders[turn:], *contenders[:turn]):
                _scenarios(bed, name, files, found, progress)
    return [found[name, scenario] for scenario in SCENARIOS for name in contenders]


def _files(folder: Path, products: int) -> dict[str, Path]:
    first, changed = folder / "products.jsonl", folder / "products-changed.jsonl"
    write_products(first, products)
    write_products(changed, products, changed_share=CHANGED_SHARE)
    return {"first": first, "again": first, "changed": changed}


def _scenarios(
    bed: Bed, name: str, files: dict[str, Path], found: dict[tuple[str, str], Runs], progress: Progress
) -> None:
    with bed.fresh() as database:
        for scenario in SCENARIOS:
            outcome = load(name, database, bed.shop, files[scenario], prepare=scenario == SCENARIOS[0])
            result = outcome.result
            runs = found.setdefault((name, scenario), Runs(name, scenario, result.bytes, result.rows))
            runs.seconds.append(result.seconds)
            runs.peak_rss.append(outcome.peak_rss)
            progress(f"{name:8} {scenario:8} {result.seconds:7.2f} s {result.rate:7.1f} MB/s")


def ratios(runs: Sequence[Runs], of: str = "ours") -> dict[str, dict[str, float]]:
    """By scenario and contender: how many times as fast `of` is, by the medians."""
    medians = {(run.contender, run.scenario): run.median for run in runs}
    return {
        scenario: {
            other: medians[other, scenario] / medians[of, scenario]
            for other, of_scenario in medians
            if of_scenario == scenario and other != of
        }
        for scenario in SCENARIOS
        if (of, scenario) in medians
    }


def by_size(
    bed: Bed, *, contender: str, megabytes: Sequence[int], repeats: int = 1, progress: Progress = lambda _: None
) -> list[Size]:
    """First loads of files of those sizes: the fastest of `repeats` each, and the most memory that any of them took."""
    sizes = []
    for wanted in megabytes:
        with _catalogue(wanted) as path:
            outcomes = []
            for _ in range(repeats):
                with bed.fresh() as database:
                    outcomes.append(load(contender, database, bed.shop, path, prepare=True))
        size = Size(
            outcomes[0].result.bytes,
            min(outcome.result.seconds for outcome in outcomes),
            max(outcome.peak_rss for outcome in outcomes),
        )
        sizes.append(size)
        progress(
            f"{contender:6} {size.bytes / _MB:7.0f} MB {size.seconds:7.2f} s {size.peak_rss / _MB:6.0f} MB resident"
        )
    return sizes


@contextmanager
def _catalogue(megabytes: int) -> Iterator[Path]:
    with TemporaryDirectory(prefix="neanelu-bench-") as folder:
        path = Path(folder) / "products.jsonl"
        write_products(path, max(1, megabytes * _MB // _BYTES_A_PRODUCT))
        yield path


def growth(sizes: Sequence[Size]) -> float:
    """By how much seconds per megabyte grow from the smallest file to the largest: 0.15 is 15 %."""
    ordered = sorted(sizes, key=lambda size: size.bytes)
    return ordered[-1].seconds_per_mb / ordered[0].seconds_per_mb - 1
