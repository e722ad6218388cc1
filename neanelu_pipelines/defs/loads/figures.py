"""What a materialization says of itself: the load's figures as Dagster metadata.

Belongs here: names and shapes of metadata. Does not belong here: counting. The rule, which a test holds: every
materialization has the ledger's run id, bytes or rows, seconds and a rate; staging has the fate of the lines; the
mirror has that and what happened to the rows. `lines_…` are of the file and add up (read = staged + unchanged +
ignored + rejected); `rows_…` are of a table.
"""

from collections.abc import Mapping, Sequence

import dagster as dg

from neanelu_pipelines.mirror.reports import LineCounts, LoadRun, Rejection, StageReport, TableCounts

Metadata = Mapping[str, dg.MetadataValue]


def artifact_figures(load: LoadRun) -> Metadata:
    """Of the artifact: where it is, how large and what its bytes are."""
    return {
        **_ledger(load),
        "path": dg.MetadataValue.text(load.artifact_path),
        "sha256": dg.MetadataValue.text(load.sha256),
        "bytes": dg.MetadataValue.int(load.bytes),
        "seconds": dg.MetadataValue.float(round(load.seconds, 3)),
        "bytes_per_second": dg.MetadataValue.float(_rate(load.bytes, load.seconds)),
    }


def staging_figures(load: LoadRun, report: StageReport, rows: int, rejections: Sequence[Rejection]) -> Metadata:
    """Of a staging table: its own rows, and the fate of all lines of the load it was part of."""
    total = report.total
    return {
        **_ledger(load),
        **_fates(total),
        "bytes": dg.MetadataValue.int(report.bytes),
        "seconds": dg.MetadataValue.float(round(report.seconds, 3)),
        "lines_per_second": dg.MetadataValue.float(_rate(total.read, report.seconds)),
        "dagster/partition_row_count": dg.MetadataValue.int(rows),
        "lines_by_node_type": _nodes(report),
        **({"rejections": _rejections(rejections)} if rejections else {}),
        **({"notes": dg.MetadataValue.md("\n".join(f"- {note}" for note in report.notes))} if report.notes else {}),
    }


def mirror_figures(load: LoadRun, lines: LineCounts, counts: TableCounts, rows: int, load_seconds: float) -> Metadata:
    """Of a mirror table: what the merge did to its rows, how many the shop has now, and the load it was part of.

    `load_seconds` is the whole load of the shop, as far as this run did it.
    """
    touched = counts.inserted + counts.updated + counts.unchanged + counts.deleted
    return {
        **_ledger(load),
        **_fates(lines),
        "bytes": dg.MetadataValue.int(load.bytes),
        "rows_inserted": dg.MetadataValue.int(counts.inserted),
        "rows_updated": dg.MetadataValue.int(counts.updated),
        "rows_unchanged": dg.MetadataValue.int(counts.unchanged),
        "rows_deleted": dg.MetadataValue.int(counts.deleted),
        "seconds": dg.MetadataValue.float(round(counts.seconds, 3)),
        "load_seconds": dg.MetadataValue.float(round(load_seconds, 3)),
        "rows_per_second": dg.MetadataValue.float(_rate(touched, counts.seconds)),
        "dagster/partition_row_count": dg.MetadataValue.int(rows),
    }


def _ledger(load: LoadRun) -> Metadata:
    return {
        "ledger_run_id": dg.MetadataValue.text(str(load.run_id)),
        "shop": dg.MetadataValue.text(load.shop_domain),
    }


def _fates(lines: LineCounts) -> Metadata:
    return {
        "lines_read": dg.MetadataValue.int(lines.read),
        "lines_staged": dg.MetadataValue.int(lines.staged),
        "lines_unchanged": dg.MetadataValue.int(lines.unchanged),
        "lines_ignored": dg.MetadataValue.int(lines.ignored),
        "lines_rejected": dg.MetadataValue.int(lines.rejected),
    }


def _rate(amount: int, seconds: float) -> float:
    return round(amount / seconds, 1) if seconds > 0 else 0.0


def _nodes(report: StageReport) -> dg.MetadataValue:
    return dg.MetadataValue.table(
        records=[
            dg.TableRecord(
                {
                    "node_type": node,
                    "read": counts.read,
                    "staged": counts.staged,
                    "unchanged": counts.unchanged,
                    "ignored": counts.ignored,
                    "rejected": counts.rejected,
                }
            )
            for node, counts in sorted(report.nodes.items())
        ],
        schema=_schema(node_type="string", read="int", staged="int", unchanged="int", ignored="int", rejected="int"),
    )


def _rejections(rejections: Sequence[Rejection]) -> dg.MetadataValue:
    return dg.MetadataValue.table(
        records=[
            dg.TableRecord(
                {
                    "reason": rejection.code,
                    "lines": rejection.count,
                    "example_line": rejection.example_line or 0,
                    "example": rejection.example_message[:500],
                }
            )
            for rejection in rejections
        ],
        schema=_schema(reason="string", lines="int", example_line="int", example="string"),
    )


def _schema(**columns: str) -> dg.TableSchema:
    return dg.TableSchema(columns=[dg.TableColumn(name=name, type=kind) for name, kind in columns.items()])
