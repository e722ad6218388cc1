"""An export that takes one bulk operation for each kind, because no one query asks for all (the types of metaobjects).

Belongs here: which kinds there are, whose turn it is, what its operation is recognized by, what is whole so far.
Does not belong here: the life of each operation, which is that of any other (`states`); asking and storing (`exports`).

Its query is kept with the kind as a variable, as no bulk query is sent. The kinds are asked for once, before the first
operation, and kept in the ledger: one that appears meanwhile is the next export's, one that vanishes has no rows.

All or nothing: a kind whose operation fails ends the export, and the next one begins with the first kind again. A kind
that fails whenever it is asked for so keeps all of them as they are; the run's error says which one it is. To keep the
others' results would show the shop at moments far apart as if it were one, and a part as if it were the whole.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from neanelu_pipelines.shopify.bulk.pieces import DamagedPieceError, Shelf, Whole
from neanelu_pipelines.shopify.bulk.states import Phase, State
from neanelu_pipelines.shopify.documents import declares, inlined
from neanelu_pipelines.shopify.faults import Refused

_VARIABLE = "type"


@dataclass(frozen=True)
class Part:
    """One kind's result, which is whole."""

    operation_id: str | None
    bytes: int
    lines: int
    roots: int


@dataclass(frozen=True)
class Kinds:
    """The kinds of an export, in the order of its lines, and how far it has come with them."""

    begun: datetime
    """The moment whose state of the shop the export shows: before the kinds were asked for."""
    names: tuple[str, ...]
    done: tuple[Part, ...] = ()

    @property
    def current(self) -> str | None:
        """The one whose turn it is."""
        return self.names[len(self.done)] if len(self.done) < len(self.names) else None

    @property
    def bytes(self) -> int:
        """Of what is whole so far."""
        return sum(part.bytes for part in self.done)

    @property
    def lines(self) -> int:
        """Of what is whole so far."""
        return sum(part.lines for part in self.done)

    @property
    def roots(self) -> int:
        """Of what is whole so far."""
        return sum(part.roots for part in self.done)

    def named(self, state: State, before: State) -> State:
        """A state that says which kind's trouble it is, if there is one that was not there before."""
        if self.current is None or state.message is None or state.message == before.message:
            return state
        whose = f"The type {self.current!r}: "
        return replace(state, message=whose + state.message.removeprefix(whose))

    def joined(self, shelf: Shelf) -> Whole:
        """All that came in, kind by kind, as one.

        Raises:
            DamagedPieceError: it is not any more what was found whole kind by kind.
        """
        whole = shelf.join()
        if (whole.bytes, whole.lines, whole.roots) != (self.bytes, self.lines, self.roots):
            raise DamagedPieceError(
                f"Of {self.bytes:,} bytes that came in type by type, {whole.bytes:,} are left in the artifact store."
            )
        return whole


def takes_turns(query: str) -> bool:
    """Whether a query is asked once for each kind: it takes one. A bulk query takes no variables at all."""
    return declares(query, _VARIABLE)


def query_of(query: str, kind: str) -> str:
    """The query of one kind's operation."""
    return inlined(query, {_VARIABLE: kind})


def mark_of(run_id: UUID, kind: str) -> UUID:
    """What one kind's operation is recognized by: the same whenever it is asked, and no other kind's."""
    return uuid5(run_id, kind)


def told(nodes: Iterable[Mapping[str, Any]], begun: datetime) -> Kinds:
    """The kinds that Shopify lists, each once.

    Raises:
        Refused: one has no name.
    """
    names = {node.get(_VARIABLE) for node in nodes}
    if not all(isinstance(name, str) and name for name in names):
        raise Refused("Shopify lists a type without its name.")
    return Kinds(begun, tuple(sorted(str(name) for name in names)))


def turned(kinds: Kinds, state: State, whole: Whole) -> Kinds:
    """After the current kind's result was found whole: the next one's turn."""
    part = Part(state.operation_id, whole.bytes, whole.lines, whole.roots)
    begun = min(kinds.begun, state.created_at) if state.created_at else kinds.begun
    return replace(kinds, begun=begun, done=(*kinds.done, part))


def ready(kinds: Kinds, state: State) -> State:
    """The export's state once every kind's result is whole: `state` is that of the last one's operation."""
    return replace(
        state,
        phase=Phase.READY,
        due=None,
        reason=None,
        message=None,
        created_at=kinds.begun,
        objects=kinds.lines,
        roots=kinds.roots,
        bytes=kinds.bytes,
    )
