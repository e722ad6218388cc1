"""Which words stand as the reason of a load that did not succeed, and that a warning is none."""

from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from neanelu_pipelines.cli.orchestra import _read_events
from neanelu_pipelines.cli.outcome import LoadOutcome, print_briefly
from neanelu_pipelines.cli.output import Output

SCOPE = "The token lacks the scope read_all_orders."
FAILURE = "The merge failed: the disk is full."


def check(name: str, severity: dg.AssetCheckSeverity, words: str, *, passed: bool = False) -> Any:
    found = SimpleNamespace(check_name=name, passed=passed, severity=severity, description=words)
    return SimpleNamespace(event_type_value="ASSET_CHECK_EVALUATION", asset_check_evaluation_data=found)


def failure(words: str = FAILURE) -> Any:
    said = SimpleNamespace(user_failure_data=SimpleNamespace(description=words), error=None)
    return SimpleNamespace(event_type_value="STEP_FAILURE", step_failure_data=said)


def outcome_of(status: str, *events: Any) -> LoadOutcome:
    outcome = LoadOutcome("casa-verde.myshopify.com", "orders", "Shopify", "0", status, 1.0)
    result: Any = SimpleNamespace(all_events=events)
    _read_events(outcome, result)
    return outcome


WARNING = check("scope_granted", dg.AssetCheckSeverity.WARN, SCOPE)
CUT_OFF = check("artifact_whole", dg.AssetCheckSeverity.WARN, "It was cut off.")
REFUSAL = check("reject_share", dg.AssetCheckSeverity.ERROR, "Too many lines were rejected.")


def test_a_warning_hides_no_failure() -> None:
    assert outcome_of("failed", WARNING, failure()).error == FAILURE
    assert outcome_of("failed", CUT_OFF, failure()).error == FAILURE


def test_what_a_check_refused_stands_before_the_failure_that_follows_from_it() -> None:
    assert outcome_of("failed", WARNING, REFUSAL, failure("refused")).error == "Too many lines were rejected."


def test_a_load_that_was_completed_has_no_error_but_its_warning_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = outcome_of("completed", WARNING)
    assert (outcome.status, outcome.error) == ("completed", None)
    assert outcome.as_object()["checks"] == [
        {"name": "scope_granted", "passed": False, "severity": "warn", "description": SCOPE}
    ]
    print_briefly(Output(as_json=False), outcome, width=6)
    assert SCOPE in capsys.readouterr().out


def test_a_file_that_was_cut_off_is_incomplete_for_that_reason_alone() -> None:
    outcome = outcome_of("completed", WARNING, CUT_OFF)
    assert (outcome.status, outcome.error) == ("incomplete", "It was cut off.")
