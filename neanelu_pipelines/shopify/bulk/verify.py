"""Whether the bytes that were stored are the result that the operation says it made.

Belongs here: the comparison, in words. Does not belong here: counting (`pieces`), what follows (`states`).
"""

from neanelu_pipelines.shopify.bulk.pieces import Whole
from neanelu_pipelines.shopify.bulk.states import State


def problem_with(whole: Whole, state: State) -> str | None:
    """What is wrong with the result, in one sentence; None if it is complete."""
    wrong = [
        f"{name}: {found:,} instead of {expected:,}"
        for name, found, expected in (
            ("bytes", whole.bytes, state.bytes if state.bytes is not None else whole.bytes),
            ("lines", whole.lines, state.objects),
            ("lines without a parent", whole.roots, state.roots),
        )
        if found != expected
    ]
    if not whole.ends_with_newline:
        wrong.append("its last line is torn off")
    return f"The result of {state.operation_id} is not complete ({'; '.join(wrong)})." if wrong else None
