"""Nobody else reads a shop's artifacts."""

from pathlib import Path

import fsspec

from neanelu_pipelines.shopify.store import make_folder


def test_folders_of_the_store_are_their_owner_s_and_those_above_are_left_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"

    make_folder(fsspec.filesystem("file"), str(home / "artifacts" / "a.myshopify.com" / "orders"))
    make_folder(fsspec.filesystem("file"), str(home / "artifacts" / "a.myshopify.com" / "orders"))

    assert [path.stat().st_mode & 0o077 for path in sorted((home / "artifacts").rglob("*"))] == [0, 0]
    assert (home / "artifacts").stat().st_mode & 0o077 == 0
    assert home.stat().st_mode & 0o011, "the server's account may have to pass"


def test_an_object_store_is_given_folders_too() -> None:
    make_folder(fsspec.filesystem("memory"), "/magazin/a/orders")

    assert fsspec.filesystem("memory").isdir("/magazin/a/orders")
