"""What a load through Dagster came to, as the command prints it.

Belongs here: the object of `load --json` and its words for a person. Does not belong here: running the load
(`orchestra`), counting (`neanelu_pipelines.mirror`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from neanelu_pipelines.cli.output import Output, bytes_text
from neanelu_pipelines.mirror.resources import resource_named

LINES = ("read", "staged", "unchanged", "ignored", "rejected")
ROWS = ("inserted", "updated", "unchanged", "deleted")

FIGURES_OF_SHOPIFY = ("operation_id", "object_count", "requests", "points_used", "scope")


@dataclass
class LoadOutcome:
    """A load that has ended. `seconds` is the run with Dagster, but no wait for a place; `steps` are its parts."""

    shop: str
    resource: str
    source: str
    dagster_run_id: str
    status: str
    seconds: float
    run_id: str | None = None
    bytes: int = 0
    error: str | None = None
    lines: dict[str, int] = field(default_factory=dict)
    nodes: dict[str, dict[str, int]] = field(default_factory=dict)
    tables: dict[str, dict[str, int]] = field(default_factory=dict)
    staged: dict[str, int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    """Rows that the shop has in each mirror table now."""
    steps: dict[str, float] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)
    rejections: list[dict[str, Any]] = field(default_factory=list)
    notes: str | None = None
    shopify: dict[str, Any] = field(default_factory=dict)
    """Of the bulk operation, where it is one's result: its id, objects, requests, points."""
    asked_for: str | None = None
    """Of Shopify: `all`, or `changes` since the last sync; None: nothing was."""
    wanted_changes: bool = False
    """Whether only what changed since the last sync was wanted."""
    removal: dict[str, Any] | None = None
    """What became of the rows that a whole export does not hold; None: it was not looked at."""
    traceback: str | None = None
    """Of a fault that is not one of a user's: where it came about."""
    partial_result: str | None = None
    """Where the part is that came of an export that failed."""
    interrupted: bool = False
    """Whether somebody broke it off: then nothing more is wanted."""

    @property
    def succeeded(self) -> bool:
        """Whether all of it worked."""
        return self.status == "completed"

    @property
    def rows(self) -> dict[str, int]:
        """Lines (read = staged + unchanged + ignored + rejected) and the mirror's rows (inserted, updated, deleted)."""
        merged = {kind: sum(table[kind] for table in self.tables.values()) for kind in ROWS}
        counted = {kind: self.lines.get(kind, 0) for kind in LINES}
        return {**merged, **counted}

    def as_object(self) -> Mapping[str, Any]:
        """The object of `--json`."""
        return {
            "run_id": self.run_id,
            "status": self.status,
            "seconds": round(self.seconds, 3),
            "rows": self.rows,
            "shop": self.shop,
            "resource": self.resource,
            "source": self.source,
            "bytes": self.bytes,
            "nodes": self.nodes,
            "staging": self.staged,
            "tables": self.tables,
            "table_rows": self.totals,
            "steps": self.steps,
            "checks": self.checks,
            "rejections": self.rejections,
            "notes": self.notes,
            "shopify": self.shopify,
            "asked_for": self.asked_for,
            "removal": self.removal,
            "error": self.error,
            "traceback": self.traceback,
            "partial_result": self.partial_result,
            "dagster_run_id": self.dagster_run_id,
        }


def print_outcome(output: Output, outcome: LoadOutcome) -> None:
    """Say to a person what was loaded, what was not, and where to look."""
    rows = outcome.rows
    rate = outcome.bytes / outcome.seconds if outcome.seconds else 0.0
    output.heading(
        f"{outcome.resource} of {outcome.shop}: {outcome.status}, {bytes_text(outcome.bytes)} in "
        f"{outcome.seconds:.1f} s ({bytes_text(rate)}/s)"
    )
    if words := _what_was_asked(outcome):
        output.say(words)
    if "object_count" in outcome.shopify:
        said = outcome.shopify
        output.say(
            f"{said['operation_id'] or 'Page by page'}: {said['object_count']:,} objects, asked for with "
            f"{said['requests']} requests and {said['points_used']:.0f} points"
        )
    if outcome.lines:
        output.say(
            f"{rows['read']:,} lines read: {rows['staged']:,} staged, {outcome.lines['unchanged']:,} unchanged, "
            f"{rows['ignored']:,} ignored, {rows['rejected']:,} rejected"
        )
    if outcome.tables:
        output.table(
            ("table", *ROWS, "rows now"),
            [
                (name, *(counts[kind] for kind in ROWS), outcome.totals.get(name))
                for name, counts in outcome.tables.items()
            ],
        )
    print_rejections(output, outcome)
    for check in outcome.checks:
        if not check["passed"]:
            kind = "warning" if check["severity"] == "warn" else "check failed"
            output.say(f"{kind}: {check['name']}: {check['description']}")
    if outcome.notes:
        output.say(outcome.notes)
    if outcome.traceback:
        output.say(outcome.traceback)
    output.say(f"ledger run {outcome.run_id or '–'}, Dagster run {outcome.dagster_run_id}")


def print_briefly(output: Output, outcome: LoadOutcome, *, width: int) -> None:
    """One line for one of several loads; why lines were rejected, and what the staging noticed, besides."""
    rows = outcome.rows
    said = f"{outcome.resource:<{width}}  {outcome.status}"
    if outcome.succeeded:
        said += f"  {bytes_text(outcome.bytes)} in {outcome.seconds:.1f} s: {rows['read']:,} lines, " + ", ".join(
            f"{rows[kind]:,} {kind}" for kind in ("inserted", "updated", "deleted", "rejected")
        )
    output.say(said)
    for words in filter(None, (_what_was_asked(outcome), outcome.notes, *_warnings(outcome), outcome.traceback)):
        output.say(f"{'':<{width}}  {words}")
    print_rejections(output, outcome)


def _warnings(outcome: LoadOutcome) -> list[str]:
    """What was noticed of a load that succeeded; of another the reason is told."""
    return [str(check["description"]) for check in outcome.checks if outcome.succeeded and not check["passed"]]


def _what_was_asked(outcome: LoadOutcome) -> str | None:
    """Where changes were wanted and all of it was asked for: that."""
    if not outcome.wanted_changes or outcome.asked_for != "all":
        return None
    resource = resource_named(outcome.resource)
    if resource.window is None:
        from neanelu_pipelines.mirror.asking import why_whole  # brings the whole client with it

        return f"All of {outcome.resource} was asked for, not only what changed: {why_whole(resource)}."
    return "There was no complete sync to go on from: all of it was asked for."


def print_rejections(output: Output, outcome: LoadOutcome) -> None:
    """The reasons for which lines were rejected, with an example each."""
    if outcome.rejections:
        output.table(
            ("rejected because", "lines", "for example line", "which says"),
            [
                (item["reason"], item["lines"], str(item["example_line"] or "–"), item["example"][:120])
                for item in outcome.rejections
            ],
        )
