"""The shop's files: those that hang on no product, and every product's media, as Shopify lists them together.

Belongs here: the list of both, and what a loose file looks like, decided by (seed, number). Does not belong here: what
a product's medium looks like (`products`).
"""

import numpy as np

from neanelu_pipelines.sandbox import ids
from neanelu_pipelines.sandbox.families import FAMILIES
from neanelu_pipelines.sandbox.pools import Dice, slug
from neanelu_pipelines.sandbox.shop.content import FILES, SINCE, SPAN
from neanelu_pipelines.sandbox.shop.overlay import Node, Overlay, seconds_of, stamp
from neanelu_pipelines.sandbox.shop.products import Products
from neanelu_pipelines.sandbox.shop.table import Indexes, Table

_OF_PRODUCTS = 2**31
"""The index of a product's medium begins here: beyond every loose file's, and within the 32 bits of a cursor."""
_KINDS = frozenset({"MediaImage", "Video", "ExternalVideo", "Model3d", "GenericFile"})


class Files:
    """All files; the index of a product's medium is made of the product's index and the slot."""

    type_name = "File"

    def __init__(self, seed: int, first: int, count: int, overlay: Overlay, products: Products) -> None:
        self._seed = seed
        self._overlay = overlay
        self._products = products
        self._loose = Table("GenericFile", count, overlay, first=first, build=self._build, moments=self._moments)
        self._known: tuple[int, Indexes] = (0, np.empty(0, dtype=np.int64))
        """The media of the first so many products, gone or not; replaced as one, so that two may read at once."""

    def indexes(self) -> Indexes:
        """The index of every file there is, ascending."""
        loose = np.arange(self._loose.count, dtype=np.int64)
        every = np.concatenate([loose, self._media_indexes()])
        gone = [index for gid in self._overlay.gone if (index := self._index_of(gid)) is not None]
        return every[~np.isin(every, np.array(gone, dtype=np.int64))] if gone else every

    def _media_indexes(self) -> Indexes:
        """Those of the media of all products that are left."""
        table = self._products.table
        (known, media), count = self._known, table.count
        if known < count:
            counts = self._products.media_counts(range(known, count))
            starts = np.repeat(np.cumsum(counts) - counts, counts)
            owners = np.repeat(np.arange(known, count, dtype=np.int64), counts)
            slots = np.arange(counts.sum(), dtype=np.int64) - starts
            media = np.concatenate([media, _OF_PRODUCTS + owners * ids.SLOTS + slots])
            self._known = count, media
        return media[np.isin((media - _OF_PRODUCTS) // ids.SLOTS, table.indexes())]

    def updated(self, indexes: Indexes) -> Indexes:
        """When these files last changed: their own edits, not those of their products."""
        moments = self.created(indexes)
        place_of = {int(index): place for place, index in enumerate(indexes)}
        for gid, changes in self._overlay.edits.items():
            index = self._index_of(gid)
            place = None if index is None else place_of.get(index)
            if place is not None and "updatedAt" in changes:
                moments[place] = seconds_of(changes["updatedAt"])
        return moments

    def created(self, indexes: Indexes) -> Indexes:
        """When these files were made: media with their products."""
        moments = np.empty(len(indexes), dtype=np.int64)
        of_products = indexes >= _OF_PRODUCTS
        moments[~of_products] = self._loose.created(indexes[~of_products])
        owners = (indexes[of_products] - _OF_PRODUCTS) // ids.SLOTS
        moments[of_products] = self._products.table.created(owners)
        return moments

    def node(self, index: int) -> Node:
        """The file with this index."""
        if index < _OF_PRODUCTS:
            return self._loose.node(index)
        owner, slot = divmod(index - _OF_PRODUCTS, ids.SLOTS)
        number = self._products.table.number_of(owner) * ids.SLOTS + slot
        media: list[Node] = self._products.table.node(owner)["media"]
        return next(one for one in media if one["id"] == ids.gid(one["__typename"], number))

    def loose(self) -> list[Node]:
        """The files that hang on no product."""
        return self._overlay.apply_all(map(self._loose.node, range(self._loose.count)))

    def _index_of(self, gid: str) -> int | None:
        found = ids.parse(gid)
        if found is None or found.type_name not in _KINDS:
            return None
        if found.type_name == "GenericFile":
            return found.number - self._loose.first
        if found.number >= ids.FAR:
            return found.number - ids.FAR - self._loose.first
        return _OF_PRODUCTS + found.number - self._products.table.first * ids.SLOTS

    def _moments(self, number: int) -> tuple[int, int]:
        created = SINCE + Dice("file-times", self._seed, number).below(SPAN)
        return created, created

    def _build(self, number: int) -> Node:
        dice = Dice("file", self._seed, number)
        created, updated = (stamp(moment) for moment in self._moments(number))
        name = f"{slug(dice.pick(FAMILIES).product_type)}-{number}"
        kind = dice.pick(("MediaImage",) * 6 + ("GenericFile",) * 3 + ("Video",))
        # Beside the products' media, whose numbers are of the same series.
        offset = number if kind == "GenericFile" else number + ids.FAR
        node = {
            "__typename": kind,
            "id": ids.gid(kind, offset),
            "alt": f"Fișier {number}" if dice.chance(0.6) else None,
            "createdAt": created,
            "updatedAt": updated,
            "fileStatus": dice.pick(("READY",) * 19 + ("PROCESSING",)),
            "preview": {"image": {"url": f"{FILES}/preview-{name}.jpg?v=1"}},
        }
        size = {"fileSize": 20_000 + number * 7919 % 3_000_000}
        if kind == "MediaImage":
            image = {"url": f"{FILES}/{name}.jpg?v=1", "width": 1600, "height": 900, "altText": node["alt"]}
            picture = {"mimeType": "image/jpeg", "mediaContentType": "IMAGE", "status": "READY", "image": image}
            return {**node, **picture, "originalSource": size}
        if kind == "Video":
            source = {"url": f"{FILES}/{name}.mp4", "mimeType": "video/mp4"}
            film = {"duration": 1000 * (10 + dice.below(90)), "filename": f"{name}.mp4", "sources": [source]}
            return {**node, "mediaContentType": "VIDEO", "status": "READY", **film, "originalSource": source | size}
        document = {"url": f"{FILES}/{name}.pdf?v=1", "mimeType": "application/pdf"}
        return {**node, **document, "originalFileSize": 10_000 + dice.below(5_000_000)}
