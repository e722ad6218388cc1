"""One made-up product as the lines of a bulk result: itself, its variants, media and metafields.

Belongs here: what a product, a variant, a picture or a metafield of the made-up shop looks like, decided by
(seed, index) alone. Does not belong here: how many there are, their order in the file, bad lines (`catalogue`).

Lines are put together from texts that are escaped once, not by a JSON encoder: a benchmark must not wait for its
input. A test holds every line against `wire.encode_line`.
"""

import json
from dataclasses import dataclass
from typing import NamedTuple

from neanelu_pipelines.sandbox.ids import SLOTS, legacy_id
from neanelu_pipelines.sandbox.pools import Dice, FamilyPool, Text, pools
from neanelu_pipelines.sandbox.wire import escape

# A hundred entries each: most goods are plain, a few have everything.
_VARIANT_COUNTS = (1,) * 78 + (2,) * 13 + (3,) * 4 + (4,) * 3 + (6,) + (8,)
_IMAGE_COUNTS = (1,) * 80 + (2,) * 13 + (3,) * 4 + (4,) * 3
_METAFIELD_COUNTS = (0,) * 65 + (1,) * 20 + (2,) * 10 + (3,) * 3 + (4,) * 2
_STATUSES = ("ACTIVE",) * 90 + ("DRAFT",) * 6 + ("ARCHIVED",) * 3 + ("UNLISTED",)
_TWO_OPTIONS_FROM = 6
_SENTENCE_COUNTS = (10, 12, 13, 15, 16, 18, 20, 23)
_ENDINGS = (90, 90, 90, 99, 99, 50, 0, 0)
_IMAGE_SIZES = ((1200, 1200), (2048, 2048), (1600, 1200), (800, 1000))
_FILES = "https:\\/\\/cdn.shopify.com\\/s\\/files\\/1\\/0594\\/2010\\/4119\\/"


@dataclass(frozen=True)
class Change:
    """What later happened to a product: a new title and new prices, at `updated_at` (an RFC 3339 time)."""

    updated_at: str


class _Price(NamedTuple):
    """In bani, hundredths of a leu."""

    price: int
    compare_at: int | None


class Outline(NamedTuple):
    """What others need to know of a product without making all of it; `bani` is the price of its first variant."""

    title: str
    sku: str
    created_at: str
    updated_at: str
    bani: int
    variants: int


class _Basis(NamedTuple):
    """What the lines of one product share."""

    number: int
    dice: Dice
    gid: str
    pool: FamilyPool
    vendor: Text
    title: str
    slug: str
    created_at: str
    updated_at: str
    children_updated_at: str
    prices: list[_Price]
    options: list[tuple[str, list[Text]]]
    images: int


def product_lines(seed: int, index: int, change: Change | None = None, variant_media_share: float = 0.0) -> list[str]:
    """The lines of product `index`, without LF, in the order of a grouped result (each child after its parent).

    `variant_media_share` of the variants of goods with several also name a picture of the product as their own, as if
    the query had asked for `variants { … media { edges { node { __typename id } } } }`.
    """
    basis = _basis(seed, index, change)
    stock: list[int] = []
    variants: list[str] = []
    for slot in range(len(basis.prices)):
        quantity = basis.dice.below(120) if basis.dice.chance(0.85) else 0
        stock.append(quantity)
        variants.append(_variant(basis, slot, quantity))
        if len(basis.prices) > 1 and basis.dice.chance(variant_media_share):
            variants.append(_variant_media(basis, slot))
    metafields = [_metafield(basis, slot) for slot in range(basis.dice.pick(_METAFIELD_COUNTS))]
    return [_product(basis, sum(stock)), *variants, *_media(basis), *metafields]


def outline(seed: int, index: int) -> Outline:
    """Product `index` in few words, several times faster than its lines."""
    basis = _basis(seed, index, None)
    return Outline(
        title=json.loads(f'"{basis.title}"'),
        sku=f"NP-{index:07d}-1",
        created_at=basis.created_at,
        updated_at=basis.updated_at,
        bani=basis.prices[0].price,
        variants=len(basis.prices),
    )


def _basis(seed: int, index: int, change: Change | None) -> _Basis:
    dice = Dice("product", seed, index)
    texts = pools()
    pool = dice.pick(texts.families)
    vendor, name, series, detail = (dice.pick(p) for p in (texts.vendors, pool.names, texts.series, pool.details))
    created_at = _time(dice, 2021, 4)
    count = dice.pick(_VARIANT_COUNTS)
    # A change must not disturb the draws: everything that it does not touch stays as it was.
    lei = pool.family.lei
    base = (lei[0] + dice.below(lei[1] - lei[0])) * 100 + dice.pick(_ENDINGS)
    raised = base + 100 + base // 20 if change else base
    on_sale = dice.chance(0.12)
    updated_at = _time(dice, 2025, 1)
    return _Basis(
        number=index,
        dice=dice,
        gid=_gid("Product", "Product", index),
        pool=pool,
        vendor=vendor,
        title=f"{name.wire} {series.wire} {detail.wire} – {vendor.wire}{' (preț nou)' if change else ''}",
        slug=f"{name.slug}-{series.slug}-{index}",
        created_at=created_at,
        updated_at=change.updated_at if change else updated_at,
        children_updated_at=updated_at,
        prices=[_price(raised + 1000 * slot, on_sale=on_sale) for slot in range(count)],
        options=_options(dice, count),
        images=dice.pick(_IMAGE_COUNTS),
    )


def _price(bani: int, *, on_sale: bool) -> _Price:
    return _Price(bani, bani + bani // 5 if on_sale else None)


def _options(dice: Dice, count: int) -> list[tuple[str, list[Text]]]:
    """The options that `count` variants differ in: none, one, or two."""
    if count == 1:
        return []
    texts = pools()
    colours = _run_of(texts.colours, dice, 2 if count >= _TWO_OPTIONS_FROM else count)
    if count >= _TWO_OPTIONS_FROM:
        return [("Culoare", colours), ("Mărime", _run_of(texts.sizes, dice, count // 2))]
    return [("Culoare", colours)] if dice.chance(0.5) else [("Mărime", _run_of(texts.sizes, dice, count))]


def _run_of(texts: tuple[Text, ...], dice: Dice, count: int) -> list[Text]:
    start = dice.below(len(texts))
    return [texts[(start + i) % len(texts)] for i in range(count)]


def _chosen(basis: _Basis, slot: int) -> list[tuple[str, str]]:
    """The (option, value) pairs of the variant in `slot`."""
    if not basis.options:
        return [("Title", "Default Title")]
    chosen = []
    for name, values in reversed(basis.options):
        slot, rest = divmod(slot, len(values))
        chosen.append((name, values[rest].wire))
    return chosen[::-1]


def _product(basis: _Basis, stock: int) -> str:
    dice, pool = basis.dice, basis.pool
    status = dice.pick(_STATUSES)
    published = f'"{basis.created_at}"' if status in {"ACTIVE", "UNLISTED"} else "null"
    tags = ",".join(f'"{tag}"' for tag in pool.tags[: 1 + dice.below(len(pool.tags))])
    category = pool.category if dice.chance(0.9) else "null"
    template = '"promo"' if dice.chance(0.03) else "null"
    low, high = _amount(basis.prices[0].price), _amount(basis.prices[-1].price)
    return (
        f'{{"__typename":"Product","id":"{basis.gid}","legacyResourceId":"{legacy_id("Product", basis.number)}",'
        f'"handle":"{basis.slug}","title":"{basis.title}","descriptionHtml":"{_description(basis)}",'
        f'"vendor":"{basis.vendor.wire}","productType":"{pool.product_type}","status":"{status}","tags":[{tags}],'
        f'"isGiftCard":false,"templateSuffix":{template},"createdAt":"{basis.created_at}",'
        f'"updatedAt":"{basis.updated_at}","publishedAt":{published},"totalInventory":{stock},"tracksInventory":true,'
        f'"hasOnlyDefaultVariant":{"false" if basis.options else "true"},"requiresSellingPlan":false,'
        f'"seo":{_seo(basis)},"category":{category},'
        f'"featuredMedia":{{"id":"{_gid("MediaImage", "Media", basis.number * SLOTS)}"}},'
        f'"options":[{_options_json(basis)}],"priceRangeV2":{{"minVariantPrice":{low},"maxVariantPrice":{high}}}}}'
    )


def _seo(basis: _Basis) -> str:
    if basis.dice.chance(0.6):
        return '{"title":null,"description":null}'
    sentence = basis.dice.pick(pools().sentences)
    return f'{{"title":"{basis.title} | Neanelu","description":"{sentence}"}}'


def _description(basis: _Basis) -> str:
    """Between one and three kilobytes of HTML, as merchants paste it together."""
    dice, texts = basis.dice, pools()
    sentences = [dice.pick(texts.sentences) for _ in range(dice.pick(_SENTENCE_COUNTS))]
    half = 2 + len(sentences) // 2
    material = dice.pick(texts.materials).wire
    return (
        f'<div class=\\"descriere\\">\\n<h2>{basis.title}<\\/h2>\\n<p><strong>{sentences[0]}<\\/strong> '
        f"{' '.join(sentences[1:half])}<\\/p>\\n<ul>\\n<li>Material: {material}<\\/li>\\n"
        f"<li>Cod produs: NP-{basis.number:07d}<\\/li>\\n<li>Producător:\\u0026nbsp;{basis.vendor.wire}<\\/li>\\n"
        f"<li>Dimensiuni: {10 + dice.below(190)} × {5 + dice.below(90)} cm<\\/li>\\n<\\/ul>\\n"
        f"<p>{' '.join(sentences[half:])}<\\/p>\\n<\\/div>"
    )


def _options_json(basis: _Basis) -> str:
    options = basis.options or [("Title", [Text("Default Title", "")])]
    parts = []
    value_slot = 0
    for position, (name, values) in enumerate(options):
        names = ",".join(f'"{value.wire}"' for value in values)
        nodes = []
        for value in values:
            gid = _gid("ProductOptionValue", "ProductOptionValue", basis.number * SLOTS + value_slot)
            nodes.append(f'{{"id":"{gid}","name":"{value.wire}"}}')
            value_slot += 1
        gid = _gid("ProductOption", "ProductOption", basis.number * SLOTS + position)
        parts.append(
            f'{{"id":"{gid}","name":"{name}","position":{position + 1},"values":[{names}],'
            f'"optionValues":[{",".join(nodes)}]}}'
        )
    return ",".join(parts)


def _variant(basis: _Basis, slot: int, quantity: int) -> str:
    dice, price = basis.dice, basis.prices[slot]
    number = basis.number * SLOTS + slot
    chosen = _chosen(basis, slot)
    title = " \\/ ".join(value for _, value in chosen)
    sku = f'"NP-{basis.number:07d}-{slot + 1}"' if dice.chance(0.97) else "null"
    barcode = f'"{_ean13(number)}"' if dice.chance(0.8) else "null"
    policy = "CONTINUE" if dice.chance(0.08) else "DENY"
    cost = _amount(price.price * 6 // 10) if dice.chance(0.7) else "null"
    sellable = "true" if quantity or policy == "CONTINUE" else "false"
    selected = ",".join(f'{{"name":"{name}","value":"{value}"}}' for name, value in chosen)
    compare_at = "null" if price.compare_at is None else f'"{_money(price.compare_at)}"'
    return (
        f'{{"__typename":"ProductVariant","id":"{_gid("ProductVariant", "ProductVariant", number)}",'
        f'"legacyResourceId":"{legacy_id("ProductVariant", number)}","title":"{title}",'
        f'"sku":{sku},"barcode":{barcode},"price":"{_money(price.price)}","compareAtPrice":{compare_at},'
        f'"position":{slot + 1},"taxable":true,"inventoryPolicy":"{policy}","inventoryQuantity":{quantity},'
        f'"availableForSale":{sellable},"createdAt":"{basis.created_at}","updatedAt":"{basis.updated_at}",'
        f'"selectedOptions":[{selected}],"inventoryItem":{{"id":"{_gid("InventoryItem", "InventoryItem", number)}",'
        f'"tracked":true,"sku":{sku},"unitCost":{cost},"measurement":{{"weight":{_weight(basis)}}}}},'
        f'"__parentId":"{basis.gid}"}}'
    )


def _variant_media(basis: _Basis, slot: int) -> str:
    media = _gid("MediaImage", "Media", basis.number * SLOTS + slot % basis.images)
    variant = _gid("ProductVariant", "ProductVariant", basis.number * SLOTS + slot)
    return f'{{"__typename":"MediaImage","id":"{media}","__parentId":"{variant}"}}'


def _media(basis: _Basis) -> list[str]:
    """The pictures, and for a few goods a film or a model behind them."""
    dice = basis.dice
    lines = [_image(basis, slot) for slot in range(basis.images)]
    if dice.chance(0.03):
        node, kind, rest = dice.pick(_MOVING)
        number = basis.number * SLOTS + basis.images
        lines.append(
            f'{{"__typename":"{node}","id":"{_gid(node, "Media", number)}","alt":null,"mediaContentType":"{kind}",'
            f'"status":"READY",{rest.replace("@", basis.slug)},"__parentId":"{basis.gid}"}}'
        )
    return lines


_MOVING = (
    ("Video", "VIDEO", f'"sources":[{{"url":"{_FILES}videos\\/@.HD-1080p.mp4","mimeType":"video\\/mp4"}}]'),
    ("ExternalVideo", "EXTERNAL_VIDEO", '"embedUrl":"https:\\/\\/www.youtube.com\\/embed\\/@","host":"YOUTUBE"'),
    ("Model3d", "MODEL_3D", f'"sources":[{{"url":"{_FILES}models\\/@.glb","mimeType":"model\\/gltf-binary"}}]'),
)


def _image(basis: _Basis, slot: int) -> str:
    dice, number = basis.dice, basis.number * SLOTS + slot
    width, height = dice.pick(_IMAGE_SIZES)
    alt = f'"{basis.pool.product_type}, {dice.pick(pools().alts).wire}"' if dice.chance(0.7) else "null"
    url = f"{_FILES}files\\/{basis.slug}-{slot + 1}.jpg?v={1_700_000_000 + dice.below(40_000_000)}"
    return (
        f'{{"__typename":"MediaImage","id":"{_gid("MediaImage", "Media", number)}","alt":{alt},'
        f'"mediaContentType":"IMAGE","status":"READY",'
        f'"image":{{"url":"{url}","width":{width},"height":{height}}},"__parentId":"{basis.gid}"}}'
    )


def _metafield(basis: _Basis, slot: int) -> str:
    namespace, key, kind, values = _METAFIELDS[(basis.number + slot) % len(_METAFIELDS)]
    gid = _gid("Metafield", "Metafield", basis.number * SLOTS + slot)
    return (
        f'{{"__typename":"Metafield","id":"{gid}","namespace":"{namespace}","key":"{key}","type":"{kind}",'
        f'"value":"{escape(basis.dice.pick(values))}","updatedAt":"{basis.children_updated_at}",'
        f'"__parentId":"{basis.gid}"}}'
    )


_METAFIELDS = (
    ("custom", "material", "single_line_text_field", ("oțel călit", "lemn de fag", "PVC", "aluminiu & cauciuc")),
    ("custom", "garantie_luni", "number_integer", ("12", "24", "36", "60")),
    ("specs", "lungime", "dimension", ('{"value":120.0,"unit":"CENTIMETERS"}', '{"value":25.0,"unit":"METERS"}')),
    ("custom", "manual", "url", ("https://neanelu.example/manuale/a.pdf", "https://neanelu.example/manuale/b.pdf")),
    ("custom", "ecologic", "boolean", ("true", "false")),
    ("custom", "ingrijire", "multi_line_text_field", ("Se spală cu apă.\nSe usucă la umbră.", "Se unge anual.")),
    ("inventory", "low_stock_threshold", "number_integer", ("3", "5", "10")),
)


def _gid(node: str, base: str, number: int) -> str:
    return f"gid:\\/\\/shopify\\/{node}\\/{legacy_id(base, number)}"


def _time(dice: Dice, first_year: int, years: int) -> str:
    return (
        f"{first_year + dice.below(years)}-{1 + dice.below(9):02d}-{1 + dice.below(28):02d}"
        f"T{dice.below(24):02d}:{dice.below(60):02d}:{dice.below(60):02d}Z"
    )


def _money(bani: int) -> str:
    """A `Money`: always two decimals, "7.90"."""
    return f"{bani // 100}.{bani % 100:02d}"


def _amount(bani: int) -> str:
    """A `MoneyV2`: its amount without the second decimal where that is zero, "7.9", "7.0"."""
    lei, rest = divmod(bani, 100)
    decimals = f"{rest // 10}" if rest % 10 == 0 else f"{rest:02d}"
    return f'{{"amount":"{lei}.{decimals}","currencyCode":"RON"}}'


def _weight(basis: _Basis) -> str:
    low, high = basis.pool.family.grams
    grams = low + basis.dice.below(high - low)
    if basis.dice.chance(0.2):
        return f'{{"value":{grams}.0,"unit":"GRAMS"}}'
    return f'{{"value":{grams / 1000!r},"unit":"KILOGRAMS"}}'


def _ean13(number: int) -> str:
    """A Romanian EAN-13 (594…) with a true check digit."""
    digits = f"594{number % 1_000_000_000:09d}"
    odd, even = sum(map(int, digits[::2])), sum(map(int, digits[1::2]))
    return f"{digits}{-(odd + 3 * even) % 10}"
