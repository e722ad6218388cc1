"""What the made-up goods are drawn from: the dice, and the vocabulary prepared once for the wire.

Belongs here: draws that are the same on every machine, and texts escaped ahead of time. Does not belong here: the
vocabulary itself (`words`, `families`) and what a product is made of (`goods`).
"""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple, TypeVar

import xxhash

from neanelu_pipelines.sandbox import words
from neanelu_pipelines.sandbox.families import FAMILIES, Family
from neanelu_pipelines.sandbox.wire import escape

_T = TypeVar("_T")
_MASK = (1 << 64) - 1
_SENTENCE_POOL = 3000
_SLOTS = {
    "{use}": words.USES,
    "{place}": words.PLACES,
    "{material}": words.MATERIALS,
    "{quality}": words.QUALITIES,
    "{season}": words.SEASONS,
    "{number}": tuple(str(n) for n in range(12, 96)),
    "{small}": tuple(str(n) for n in range(2, 12)),
}


class Dice:
    """Small, fast, the same on every Python: the draws follow from the key it was made with and nothing else."""

    __slots__ = ("_state",)

    def __init__(self, *key: object) -> None:
        self._state = xxhash.xxh3_64_intdigest(repr(key).encode())

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & _MASK
        return ((self._state >> 33) * limit) >> 31

    def pick(self, options: Sequence[_T]) -> _T:
        """One of `options`."""
        return options[self.below(len(options))]

    def chance(self, share: float) -> bool:
        """True in about `share` of all draws."""
        return self.below(1_000_000) < share * 1_000_000


class Text(NamedTuple):
    """A text twice: as it stands inside a JSON string of Shopify's, and as part of a handle or a file name."""

    wire: str
    slug: str


class FamilyPool(NamedTuple):
    """A family of goods, prepared."""

    family: Family
    product_type: str
    category: str
    names: tuple[Text, ...]
    details: tuple[Text, ...]
    tags: tuple[str, ...]


class Pools(NamedTuple):
    """The whole vocabulary, prepared."""

    families: tuple[FamilyPool, ...]
    vendors: tuple[Text, ...]
    series: tuple[Text, ...]
    colours: tuple[Text, ...]
    sizes: tuple[Text, ...]
    materials: tuple[Text, ...]
    alts: tuple[Text, ...]
    sentences: tuple[str, ...]


@cache
def pools() -> Pools:
    """The vocabulary, prepared on first use (some 50 ms)."""
    return Pools(
        families=tuple(_family(family) for family in FAMILIES),
        vendors=_texts(words.VENDORS),
        series=_texts(words.SERIES),
        colours=_texts(words.COLOURS),
        sizes=_texts(words.SIZES),
        materials=_texts(words.MATERIALS),
        alts=_texts(words.ALT_TEXTS),
        sentences=_sentences(),
    )


def slug(text: str) -> str:
    """`text` as Shopify makes a handle of it: without diacritics, lower case, words joined by hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split())


def _texts(raw: Iterable[str]) -> tuple[Text, ...]:
    return tuple(Text(escape(text), slug(text)) for text in raw)


def _family(family: Family) -> FamilyPool:
    category = f'{{"id":"{escape("gid://shopify/TaxonomyCategory/" + family.category_id)}"'
    return FamilyPool(
        family=family,
        product_type=escape(family.product_type),
        category=f'{category},"fullName":"{escape(family.category)}"}}',
        names=_texts(family.names),
        details=_texts(family.details),
        tags=tuple(escape(tag) for tag in family.tags),
    )


def _sentences() -> tuple[str, ...]:
    """The sentences of all descriptions: enough of them, and of numbers in them, for an index to have work to do."""
    dice = Dice("sentences")
    return tuple(escape(_fill(dice.pick(words.SENTENCES), dice)) for _ in range(_SENTENCE_POOL))


def _fill(sentence: str, dice: Dice) -> str:
    for slot, options in _SLOTS.items():
        while slot in sentence:
            sentence = sentence.replace(slot, dice.pick(options), 1)
    return sentence
