"""The verdicts on a staging that follow from its counts of lines alone.

Belongs here: whether too many lines were rejected, whether each line read is accounted for and whether the last one is
whole, in words for a person.
Does not belong here: counting, and whether the staged rows are still there (`staging_area`).
"""

import dataclasses

from neanelu_pipelines.mirror.reports import LineCounts, StageReport, StagingCheck
from neanelu_pipelines.settings import Settings


def counts_checks(report: StageReport, settings: Settings) -> list[StagingCheck]:
    """Whether few enough lines were rejected, each is accounted for, and the last one is whole."""
    return [_rejected_share(report.total, settings.max_reject_share), _counts_add_up(report), _whole(report)]


def _whole(report: StageReport) -> StagingCheck:
    words = cut_off_words(report) or "The artifact ends with a whole line."
    return StagingCheck("artifact_whole", not report.cut_off, words, warns=True)


def cut_off_words(report: StageReport) -> str | None:
    """What to say of an artifact that was cut off; None if it was not."""
    if not report.cut_off:
        return None
    return (
        f"The artifact ends within line {report.lines:,}: it was cut off, and nobody knows how much is missing. "
        "Nothing is taken away for what it lacks; load the whole of it."
    )


def _rejected_share(total: LineCounts, limit: float) -> StagingCheck:
    share = total.rejected / total.read if total.read else 0.0
    passed = share <= limit
    words = f"{total.rejected:,} of {total.read:,} lines were rejected ({share:.2%}; allowed: {limit:.2%})."
    advice = (
        ""
        if passed
        else (
            " Nothing was merged. See bulk_errors for the reasons; mend the source, or raise NEANELU_MAX_REJECT_SHARE."
        )
    )
    return StagingCheck("rejected_share", passed, words + advice, {"rejected_share": round(share, 6)})


def _counts_add_up(report: StageReport) -> StagingCheck:
    total = report.total
    negative = [node for node, counts in report.nodes.items() if min(dataclasses.astuple(counts)) < 0]
    lost = report.lines - total.read
    words = (
        f"{total.read:,} lines read = {total.staged:,} staged + {total.unchanged:,} unchanged + "
        f"{total.rejected:,} rejected + {total.ignored:,} ignored."
    )
    if lost:
        words += f" But the file has {report.lines:,} lines: this is a bug of the loader."
    if negative:
        words += f" The counts of {', '.join(negative)} contradict each other: this is a bug of the loader."
    return StagingCheck("counts_add_up", not negative and not lost, words, {"read": total.read})
