"""Why a program of PostgreSQL failed, in the one sentence that is made of all that it said."""

from pathlib import Path

import pytest

from neanelu_pipelines.database.installation import refusal

EARLY = "FATAL:  the database system is starting up"
LATE = "FATAL:  terminating connection due to administrator command"
WORST = "PANIC:  could not locate a valid checkpoint record"
FAULT = "FATAL:  data directory has wrong ownership"
LAST = "LOG:  database system is shut down"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([EARLY, FAULT, LAST], FAULT),
        ([LATE, LAST], LAST),
        ([FAULT, EARLY, WORST, LAST], WORST),
        ([], "it says nothing"),
    ],
    ids=["who asked too early got no reason", "nor who asked too late", "a panic is the reason", "nothing at all"],
)
def test_the_reason_is_what_the_program_failed_of(said: list[str], reason: str, tmp_path: Path) -> None:
    sentence = refusal("PostgreSQL does not start", "\n".join(said), tmp_path)
    assert sentence.startswith(f"PostgreSQL does not start: {reason}. ")
    assert "NEANELU_DATABASE_URL" in sentence, "and what to do"
