"""What must hold of the inventory ledger, as checks of its asset.

Belongs here: which questions are asked, when, and how the answers are told. Does not belong here: the
questions themselves (sql/inventory).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import dagster as dg

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.defs.catalogue.specs import key_of
from neanelu_pipelines.defs.inventory.condition import ledger_has_changed
from neanelu_pipelines.defs.warehouse import Warehouse

LEDGER = "inventory_ledger"


@dataclass(frozen=True)
class Question:
    """A check: its statement answers by shop (domain, compared, wrong, an example)."""

    name: str
    statement: str
    compared: str
    description: str
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR


QUESTIONS = (
    Question(
        "sum_of_deltas_is_quantity",
        "inventory/deltas_and_quantities",
        "variants at locations",
        "For every variant at a location, the ledger's deltas add up to the available quantity of the mirrored level; "
        "to nothing where there is no level any more. Levels whose variant the mirror does not have are not counted.",
    ),
    Question(
        "entries_follow_each_other",
        "inventory/broken_chains",
        "entries",
        "Every entry begins at the quantity where the one before it, of the same variant and location, ended (the "
        "first at 0), and ends there plus its delta.",
    ),
    Question(
        "levels_sum_to_variants",
        "inventory/variants_and_levels",
        "variants",
        "What Shopify says that a tracked variant has in all is the sum of its levels. A warning only: the two are "
        "read at different moments, by loads of products and of inventory, so what sells in between differs.",
        dg.AssetCheckSeverity.WARN,
    ),
)


@dg.multi_asset_check(
    name="inventory_ledger_checks",
    specs=[
        dg.AssetCheckSpec(
            question.name,
            asset=key_of(LEDGER),
            description=question.description,
            additional_deps=[key_of("webhook_events")],
            automation_condition=ledger_has_changed(),
        )
        for question in QUESTIONS
    ],
    can_subset=True,
)
def inventory_checks(
    context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> Iterator[dg.AssetCheckResult]:
    """Ask, of all shops at once."""
    asked = {check.name for check in context.selected_asset_check_keys}
    with warehouse.database.connect(Role.PIPELINE, autocommit=True) as connection:
        for question in QUESTIONS:
            if question.name in asked:
                answers = connection.execute(statement(question.statement)).fetchall()
                yield verdict(question, answers)


def verdict(question: Question, answers: Sequence[tuple[str, int, int, str | None]]) -> dg.AssetCheckResult:
    """The answers of all shops as one result, with the shops where something is wrong."""
    compared = sum(count for _, count, _, _ in answers)
    wrong = [(domain, count, example) for domain, _, count, example in answers if count]
    found = sum(count for _, count, _ in wrong)
    words = f"{compared:,} {question.compared} of {len(answers):,} shops, {found:,} wrong."
    if wrong:
        words += " " + "; ".join(f"{domain}: {count:,}, e.g. {example}" for domain, count, example in wrong[:5])
    return dg.AssetCheckResult(
        asset_key=key_of(LEDGER),
        check_name=question.name,
        passed=not wrong,
        severity=question.severity,
        description=words,
        metadata={"compared": compared, "wrong": found, "shops": len(answers)},
    )
