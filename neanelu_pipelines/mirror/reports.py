"""What a load says of itself: counts by node type and by table, that add up.

Belongs here: the figures that the ledger keeps, the Dagster UI shows and `neanelu load --json` prints, as plain data.
Does not belong here: making them.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class LoadRun:
    """A load as the ledger knows it (`bulk_runs` and its `bulk_artifacts`)."""

    run_id: UUID
    shop_id: UUID
    shop_domain: str
    resource: str
    artifact_path: str
    bytes: int
    sha256: str
    seconds: float = 0.0
    """How long fetching the artifact took."""


@dataclass
class LineCounts:
    """The fate of the lines of one node type; `read` is always the sum of the others."""

    staged: int = 0
    unchanged: int = 0
    ignored: int = 0
    rejected: int = 0

    @property
    def read(self) -> int:
        """How many lines were read."""
        return self.staged + self.unchanged + self.ignored + self.rejected


@dataclass(frozen=True)
class Rejection:
    """Why lines were rejected: one row per error code, with an example to look at."""

    code: str
    count: int
    example_line: int | None
    example_message: str


@dataclass
class StageReport:
    """What staging did with one artifact."""

    bytes: int
    seconds: float
    nodes: dict[str, LineCounts] = field(default_factory=dict)
    """By node type (`Product`, `ProductVariant`, …; `?` where a line could not be read far enough to know)."""
    tables: dict[str, int] = field(default_factory=dict)
    """Rows copied, by staging table."""
    lines: int = 0
    """How many lines the reader numbered; the counts of all node types have to come to the same."""
    cut_off: bool = False
    """The artifact ends within a line: nobody knows how much of it is missing."""
    skipped: dict[str, int] = field(default_factory=dict)
    """Lines whose rows the mirror already holds like that, by mirror table."""
    forgotten: int = 0
    """Rows and rejected lines that tell of customers who were forgotten since the artifact was read."""
    notes: list[str] = field(default_factory=list)
    """What a person should know and no row was lost by: unknown fields, removed NUL characters, cut texts, a torn
    last line."""

    @classmethod
    def of(cls, metadata: dict[str, Any]) -> "StageReport":
        """What the ledger keeps of a staging, as it was."""
        report = dict(metadata["report"])
        report["nodes"] = {node: LineCounts(**counts) for node, counts in report["nodes"].items()}
        return cls(**report)

    @property
    def total(self) -> LineCounts:
        """The counts of all node types together."""
        total = LineCounts()
        for counts in self.nodes.values():
            total.staged += counts.staged
            total.unchanged += counts.unchanged
            total.ignored += counts.ignored
            total.rejected += counts.rejected
        return total


@dataclass(frozen=True)
class StagingCheck:
    """One verdict on the staged rows, before anything is merged."""

    name: str
    passed: bool
    description: str
    """What was found and, if it failed, what to do."""
    figures: dict[str, int | float | str] = field(default_factory=dict)
    warns: bool = False
    """Whether it only warns: the load goes on all the same."""

    @property
    def refuses(self) -> bool:
        """Whether nothing may be merged because of it."""
        return not (self.passed or self.warns)


@dataclass
class TableCounts:
    """What the merge did to one mirror table, in rows."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    """Rows of this load that were already as the file says, or that the mirror holds a newer version of."""
    deleted: int = 0
    seconds: float = 0.0

    @property
    def all_new(self) -> bool:
        """Whether the mirror had none of these rows."""
        return not (self.updated or self.unchanged or self.deleted)


@dataclass
class LoadReport:
    """A whole load, for `neanelu load --json` and for the summary of the demo."""

    run_id: UUID
    status: str
    seconds: float
    stage: StageReport
    checks: list[StagingCheck]
    tables: dict[str, TableCounts]
    rejections: list[Rejection]
