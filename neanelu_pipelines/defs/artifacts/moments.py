"""The moment of an export, as a person writes it: in a run's configuration and on the command line.

Belongs here: reading and refusing it. Does not belong here: what it decides (the merge). Imports no Dagster, so that
the command can use it before Dagster is loaded.
"""

from datetime import UTC, datetime, timedelta

from neanelu_pipelines.errors import NeaneluError

_CLOCKS_DIFFER = timedelta(minutes=5)


class MomentError(NeaneluError):
    """What was given as the moment of an export cannot be it."""


def parse_moment(text: str | None) -> datetime | None:
    """When Shopify made an export: a moment in ISO 8601 with an offset, not in the future. None stays None.

    Raises:
        MomentError: it is none. Five minutes are left to clocks that differ.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise MomentError(f"as-of {text!r} is not a moment: write it as 2026-01-31T12:00:00Z.") from None
    if moment.tzinfo is None:
        raise MomentError(f"as-of {text!r} does not say of which time zone it is: write it as 2026-01-31T12:00:00Z.")
    if moment > datetime.now(UTC) + _CLOCKS_DIFFER:
        raise MomentError(f"as-of {text!r} is in the future: an export cannot be newer than now.")
    return moment
