"""Files: rows that they share with products' media, each resource with a fingerprint of its own."""

from typing import TYPE_CHECKING, Any

from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import DOMAIN, OTHER_DOMAIN, River, fates, file, gid, media, moment, product, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from neanelu_pipelines.mirror.reports import LoadReport


def film(number: int, parent: str) -> bytes:
    source = {"url": f"https://cdn.example/{number}.mp4", "mimeType": "video/mp4"}
    node = {"__typename": "Video", "id": gid("Video", number), "alt": f"poza {number}", "mediaContentType": "VIDEO"}
    return encode_line({**node, "status": "READY", "sources": [source]}, parent)


def products(*alts: str) -> list[bytes]:
    """A product with a picture for each alternative text, and a film."""
    parent = gid("Product", 1)
    pictures = [media(n, parent, alt=alt) for n, alt in enumerate(alts, 1)]
    return [product(1, featuredMedia={"id": gid("MediaImage", 1)}), *pictures, film(9, parent)]


def files(*alts: str) -> list[bytes]:
    """The same, as files; and a document that no product shows."""
    return [*(file(n, alt=alt) for n, alt in enumerate(alts, 1)), file(9, "Video"), file(20, "GenericFile")]


def load(river: River, *lines: bytes, day: int = 5, **options: Any) -> Any:
    return river.load(lines, resource="files", as_of=moment(day), **options)


def rows(river: River, columns: str) -> list[tuple[Any, ...]]:
    return river.query(f"SELECT {columns} FROM shopify_media ORDER BY legacy_resource_id")


def test_files_become_rows_of_media(river: River) -> None:
    extern = {
        "mediaContentType": "EXTERNAL_VIDEO",
        "embedUrl": "https://youtu.be/1",
        "host": "YOUTUBE",
        "status": "READY",
    }
    report = load(river, *files("foarfecă"), file(30, "ExternalVideo", duration=None, sources=None, **extern))

    assert written(report) == {"shopify_media": (4, 0, 0)}
    assert report.stage.notes == []
    assert rows(river, "media_type, alt, status, mime_type, file_size, width, duration, url, metadata") == [
        ("IMAGE", "foarfecă", "READY", "image/jpeg", None, 800, None, "https://cdn.example/1.jpg", {}),
        ("VIDEO", "poza 9", "READY", "video/mp4", None, None, 9000, "https://cdn.example/9.mp4", {}),
        ("GENERIC_FILE", "poza 20", "READY", "application/pdf", 12345, None, None, "https://cdn.example/20.pdf", {}),
        ("EXTERNAL_VIDEO", "poza 30", "READY", None, None, None, None, "https://youtu.be/1", {"host": "YOUTUBE"}),
    ]
    before = river.versions()
    again = load(river, *files("foarfecă"), file(30, "ExternalVideo", duration=None, sources=None, **extern), day=6)
    assert (written(again), river.versions()) == ({}, before)


def test_a_shop_that_has_no_films_is_whole(river: River) -> None:
    """No line says anything of a film's fields: what the mirror has there for nobody is not taken for their word."""
    river.load(products("foarfecă")[:-1], as_of=moment(5))
    report = load(river, *files("foarfecă")[:1])

    assert report.stage.notes == []
    assert rows(river, "fingerprint IS NULL, file_fingerprint IS NULL, sources, metadata") == [(False, False, [], {})]
    assert river.load(products("foarfecă")[:-1], as_of=moment(6)).stage.notes == []


def test_a_shop_that_has_documents_only_is_whole(river: River) -> None:
    """What kind of file they are, their type says and not a field of theirs."""
    report = load(river, file(20, "GenericFile"), file(21, "GenericFile"))

    assert report.stage.notes == []
    assert rows(river, "media_type, file_fingerprint IS NULL") == [("GENERIC_FILE", False)] * 2


def test_products_and_files_by_turns_settle(river: River) -> None:
    for first, second in ((0, 1), (1, 0)):
        steps: list[Callable[[int], LoadReport]] = [
            lambda day: river.load(products("foarfecă", "greblă"), as_of=moment(day)),
            lambda day: load(river, *files("foarfecă", "greblă"), day=day),
        ]
        steps[first](5)
        steps[second](6)
        before, audited = river.versions(), river.audit_rows()

        for day in (7, 8):
            assert written(steps[first](day)) == written(steps[second](day)) == {}

        assert (river.versions(), river.audit_rows()) == (before, audited), "not a row version"
        assert rows(river, "mime_type, duration, created_at_shopify IS NULL") == [
            ("image/jpeg", None, False), ("image/jpeg", None, False), ("video/mp4", 9000, False),
            ("application/pdf", None, False),
        ]  # fmt: skip
        river.clear()


def test_a_change_is_taken_from_whichever_comes_first_and_then_settles(river: River) -> None:
    river.load(products("foarfecă", "greblă"), as_of=moment(2))
    load(river, *files("foarfecă", "greblă"), day=3)

    assert written(load(river, *files("foarfecă", "sapă"), day=4)) == {"shopify_media": (0, 1, 0)}
    assert written(river.load(products("foarfecă", "sapă"), as_of=moment(5))) == {}
    assert written(river.load(products("lopată", "sapă"), as_of=moment(6))) == {"shopify_media": (0, 1, 0)}
    assert written(load(river, *files("lopată", "sapă"), day=7)) == {}
    before = river.versions()
    assert written(river.load(products("lopată", "sapă"), as_of=moment(8))) == {}
    assert written(load(river, *files("lopată", "sapă"), day=8)) == {}
    assert river.versions() == before
    assert rows(river, "alt, mime_type")[:2] == [("lopată", "image/jpeg"), ("sapă", "image/jpeg")]


def test_what_one_changed_and_the_other_finds_as_it_was_is_put_right(river: River) -> None:
    """There and back: the products' lines are what they were, but the row is not."""
    river.load(products("foarfecă"), as_of=moment(2))
    load(river, *files("foarfecă"), day=3)
    load(river, *files("greșit"), day=4)

    river.load(products("foarfecă"), as_of=moment(5))

    assert rows(river, "alt")[0] == ("foarfecă",)
    load(river, *files("greșit"), day=6)
    assert rows(river, "alt")[0] == ("greșit",)


def test_a_preview_is_told_by_both_and_a_size_by_files_alone(river: River) -> None:
    def poster(number: int) -> dict[str, Any]:
        return {"image": {"url": f"https://cdn.example/afis-{number}.jpg"}}

    goods = [product(1), media(1, gid("Product", 1), preview=poster(1))]
    river.load(goods, as_of=moment(2))
    sizes: tuple[dict[str, int], ...] = ({"fileSize": 5_000}, {"filesize": 7_000})
    for day, number in ((3, 1), (4, 2)):
        model = file(2, "Model3d", mediaContentType="MODEL_3D", duration=None, originalSource=sizes[1])
        load(river, file(1, preview=poster(number), originalSource=sizes[0]), model, day=day)
    assert rows(river, "preview_url, file_size") == [("https://cdn.example/afis-2.jpg", 5_000), (None, 7_000)]

    river.load(goods, as_of=moment(5))

    assert rows(river, "preview_url, file_size")[0] == ("https://cdn.example/afis-1.jpg", 5_000)


def test_a_products_picture_follows_a_file_that_was_replaced(river: River) -> None:
    river.load(products("foarfecă"), as_of=moment(2))
    image = {"url": "https://cdn.example/nou.jpg", "width": 800, "height": 600}
    load(river, file(1, alt="foarfecă", image=image), day=3)

    parent = gid("Product", 1)
    lines = [product(1, featuredMedia={"id": gid("MediaImage", 1)}), media(1, parent, alt="foarfecă", image=image)]
    river.load([*lines, film(9, parent)], as_of=moment(4))

    assert river.one("SELECT featured_image_url FROM shopify_products") == "https://cdn.example/nou.jpg"


def test_an_older_export_of_either_overwrites_nothing(river: River) -> None:
    river.load(products("vechi"), as_of=moment(2))
    load(river, *files("nou"), day=6)
    before = river.versions()

    river.load(products("altul"), as_of=moment(5))
    assert rows(river, "alt")[0] == ("nou",)
    assert fates(load(river, *files("altul"), day=5))["MediaImage"] == (0, 0, 0, 1)
    assert river.versions()["shopify_media"] == before["shopify_media"]


def test_what_the_other_found_as_it_was_is_as_new_as_its_export(river: River) -> None:
    """There and back while an export of products lay about: the newer list of files wrote nothing, but told of it."""
    river.load(products("foarfecă"), as_of=moment(2))
    load(river, *files("foarfecă"), day=3)
    load(river, *files("foarfecă"), day=6)

    river.load(products("greșit"), as_of=moment(5))
    assert rows(river, "alt")[0] == ("foarfecă",)
    river.load(products("foarfecă"), as_of=moment(8))
    load(river, *files("greșit"), day=7)
    assert rows(river, "alt")[0] == ("foarfecă",)
    river.load(products("sapă"), as_of=moment(9))
    assert rows(river, "alt")[0] == ("sapă",)


def test_whoever_else_changes_a_file_is_put_right_by_the_next_load(river: River) -> None:
    load(river, *files("foarfecă"))
    river.do("UPDATE shopify_media SET alt = 'altceva' WHERE media_type = 'GENERIC_FILE'")
    assert written(load(river, *files("foarfecă"), day=6)) == {"shopify_media": (0, 1, 0)}


def test_bad_lines_are_rejected(river: River) -> None:
    report = load(
        river,
        file(1, mediaContentType="FILM"),
        file(2, mediaContentType=None),
        file(3, "GenericFile", originalFileSize="mare"),
        file(4, "GenericFile", fileStatus="GATA"),
        encode_line({"__typename": "Product", "id": gid("Product", 1)}),
    )
    assert [code for _, code in river.errors(report.run_id)] == [
        "not_in_enum", "missing_required", "not_a_number", "not_in_enum", "unknown_node_type",
    ]  # fmt: skip


def test_a_shops_files_are_its_own(river: River) -> None:
    load(river, *files("a"))
    load(river, *files("b"), domain=OTHER_DOMAIN)
    shops = dict(river.query("SELECT shop_id, count(*) FROM shopify_media GROUP BY 1"))
    assert shops == {river.shops[DOMAIN]: 3, river.shops[OTHER_DOMAIN]: 3}
