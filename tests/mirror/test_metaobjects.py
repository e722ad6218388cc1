"""Metaobjects and publications: their fields; one type's result says nothing about another's."""

from typing import Any

from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import CHANGED, LATER, River, fates, gid, moment, written


def metaobject(number: int = 1, **fields: Any) -> bytes:
    node = {
        "__typename": "Metaobject",
        "id": gid("Metaobject", number),
        "handle": f"producator-{number}",
        "type": "producator",
        "displayName": "Fierăria Turda",
        "updatedAt": CHANGED,
        "fields": [
            {"key": "nume", "type": "single_line_text_field", "value": "Fierăria Turda", "jsonValue": "Fierăria Turda"},
            {"key": "an", "type": "number_integer", "value": "1921", "jsonValue": 1921},
            {"key": "site", "type": "url", "value": None, "jsonValue": None},
        ],
    }
    return encode_line(node | fields)


def load(river: River, *lines: bytes, day: int = 5) -> Any:
    return river.load(lines, resource="metaobjects", as_of=moment(day))


def test_a_metaobject_becomes_a_row_with_its_fields_by_key(river: River) -> None:
    assert written(load(river, metaobject(), metaobject(2, fields=[]))) == {"shopify_metaobjects": (2, 0, 0)}

    assert river.query(
        "SELECT type, handle, display_name, fields, capabilities FROM shopify_metaobjects ORDER BY 2"
    ) == [
        (
            "producator",
            "producator-1",
            "Fierăria Turda",
            {
                "nume": {"type": "single_line_text_field", "value": "Fierăria Turda"},
                "an": {"type": "number_integer", "value": "1921"},
                "site": {"type": "url", "value": None},
            },
            {},
        ),
        ("producator", "producator-2", "Fierăria Turda", {}, {}),
    ]
    before = river.versions()
    assert written(load(river, metaobject(), metaobject(2, fields=[]), day=6)) == {}
    assert river.versions() == before


def test_a_type_may_be_loaded_after_a_newer_export_of_another(river: River) -> None:
    load(river, metaobject(1), day=4)
    load(river, metaobject(2, type="ghid"), day=6)

    report = load(river, metaobject(1, displayName="Fierăria Nouă", updatedAt=LATER), metaobject(3), day=5)

    assert written(report) == {"shopify_metaobjects": (1, 1, 0)}
    assert river.one("SELECT display_name FROM shopify_metaobjects WHERE handle = 'producator-1'") == "Fierăria Nouă"
    older = load(river, metaobject(1, displayName="Veche"), day=7)
    assert fates(older) == {"Metaobject": (0, 0, 0, 1)}


def test_bad_lines_are_rejected_each_with_its_reason(river: River) -> None:
    report = load(
        river,
        metaobject(1, fields=None),
        metaobject(2, type=None),
        metaobject(3, fields=[{"key": None, "type": "url", "value": "x"}]),
        metaobject(4, fields={"nume": "x"}),
        metaobject(5, handle="h" * 256),
        metaobject(6),
    )

    assert river.errors(report.run_id) == [
        (1, "missing_required"),
        (2, "missing_required"),
        (3, "missing_required"),
        (4, "wrong_shape"),
        (5, "too_long"),
    ]
    assert river.one("SELECT count(*) FROM shopify_metaobjects") == 1


def test_publications_become_rows_named_by_their_catalog(river: River) -> None:
    node = {
        "__typename": "Publication",
        "id": gid("Publication", 1),
        "autoPublish": True,
        "supportsFuturePublishing": False,
        "catalog": {"id": gid("AppCatalog", 1), "title": "Online Store"},
    }
    nameless = encode_line({**node, "id": gid("Publication", 2), "catalog": None})

    report = river.load([encode_line(node), nameless], resource="publications", as_of=moment(5))

    assert river.query(
        "SELECT name, auto_publish, supports_future_publishing, is_active FROM shopify_publications"
    ) == [("Online Store", True, False, True)]
    assert river.errors(report.run_id) == [(2, "missing_required")]
    before = river.versions()
    assert written(river.load([encode_line(node)], resource="publications", as_of=moment(6))) == {}
    assert river.versions() == before
