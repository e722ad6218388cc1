"""What a load is made from: how a source is shown, and why it cannot be copied, without what opens it."""

import errno
import re
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import pytest

from neanelu_pipelines.mirror.artifacts import shown, store
from neanelu_pipelines.shopify.jsonl import ArtifactUnreadableError
from neanelu_pipelines.shopify.store import MissingDriverError

SIGNED = "https://storage.example/1.jsonl?X-Goog-Signature=ab%2Fcd%40ef"
ARTIFACT: dict[str, Any] = {"shop_domain": "casa-verde.myshopify.com", "resource": "products", "run_id": uuid4()}


def refused(monkeypatch: pytest.MonkeyPatch, root: Path, source: str, error: Exception) -> str:
    """The words about a source that cannot be opened for that reason."""

    def refuse(*_: Any) -> None:
        raise error

    monkeypatch.setattr(fsspec, "open", refuse)
    with pytest.raises(ArtifactUnreadableError, match="cannot be copied into the artifact store") as caught:
        store(str(root), source, **ARTIFACT)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_a_source_is_shown_without_what_opens_it() -> None:
    signed = "https://user:parola@storage.example/bulk/1.jsonl?X-Signature=secret#x"
    assert shown(signed) == "https://storage.example/bulk/1.jsonl"
    assert shown("simplecache::https://user:parola@storage.example/1.jsonl?sig=a::b") == (
        "simplecache::https://storage.example/1.jsonl"
    )
    assert shown("s3://galeata/ana@casa/1.jsonl") == "s3://galeata/ana@casa/1.jsonl"
    assert shown("/srv/export?/products.jsonl") == "/srv/export?/products.jsonl"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError("403, url='https://storage.example/1.jsonl?X-Goog-Signature=ab/cd%40ef'"), "OSError"),
        (FileNotFoundError(errno.ENOENT, "https://storage.example/1.jsonl?sig=ab/cd@ef"), "No such file"),
        (type("ResponseError", (Exception,), {"status": 403})("ab/cd@ef"), "ResponseError, HTTP status 403"),
    ],
)
def test_an_error_that_quotes_a_signed_source_anew_shows_none_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    said = refused(monkeypatch, tmp_path, SIGNED, error)
    assert told in said
    assert not re.search("ab(/|%2F)cd|cd(%40|@)ef", said), said


def test_an_error_of_a_plain_source_is_quoted_less_what_opens_the_address_it_was_sent_on_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = OSError("403, message='Forbidden', url=URL('https://u:parola@other.example/1.jsonl?sig=parola')")
    said = refused(monkeypatch, tmp_path, "https://shop.example/1.jsonl", error)
    assert "message='Forbidden', url=URL('https://other.example/1.jsonl')" in said
    assert "parola" not in said


@pytest.mark.parametrize(
    ("url", "package", "extra"),
    [("s3://galeata/1.jsonl?versionId=2", "s3fs", "s3"), ("gs://galeata/1.jsonl", "gcsfs", "gcs")],
)
def test_a_store_whose_package_is_missing_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, url.partition(":")[0], raising=False)
    named = re.escape(f"pip install 'neanelu-pipelines[{extra}]'")
    with pytest.raises(ArtifactUnreadableError, match=named):
        store(str(tmp_path), url, **ARTIFACT)
    with pytest.raises(MissingDriverError, match=named):
        store(url.partition("?")[0], "/dev/null", **ARTIFACT)
