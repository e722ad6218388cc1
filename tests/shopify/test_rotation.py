"""Changing the key of all tokens: whatever happens on the way, each token opens, and the row says what was done."""

import subprocess
import sys
import threading
from typing import Any
from uuid import UUID

import pytest
from psycopg.rows import dict_row

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.access import Secret, read_access
from neanelu_pipelines.shopify.rotation import Rotation, rotate
from neanelu_pipelines.shopify.vault import ACCESS_TOKEN, Keyring, KeyringError, SealedToken
from tests.shopify.conftest import TOKEN, make_shop
from tests.shopify.test_vault import key, ring

KILLED = """
import os, sys
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.shopify.access import Secret
from neanelu_pipelines.shopify.rotation import rotate
from neanelu_pipelines.shopify.vault import Keyring

url, keys = sys.stdin.read().split()
database = Database({Role.PIPELINE: url})
left = [int(sys.argv[1])]
def die():
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), 9)
rotate(database, Keyring.parse(Secret(keys)), batch=3, after_batch=die)
"""


def domain(number: int) -> str:
    return f"magazin-{number}.myshopify.com"


def add_shops(database: Database, keyring: Keyring, count: int) -> None:
    for number in range(count):
        shops.install(database, keyring, domain(number), Secret(f"{TOKEN}{number}"))


def rotations(database: Database) -> list[dict[str, Any]]:
    with database.connect(Role.PIPELINE) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM key_rotations ORDER BY started_at").fetchall()


def opens(database: Database, keyring: Keyring, count: int) -> bool:
    return all(
        read_access(database, keyring, domain(number)).token.get_secret_value() == f"{TOKEN}{number}"
        for number in range(count)
    )


def test_every_token_gets_the_new_key(database: Database) -> None:
    old, new = key(), key()
    add_shops(database, ring(old), 7)
    make_shop(database)
    assert rotate(database, ring(old, new), batch=3) == [Rotation(1, 2, read=7, rotated=7, failed=())]
    only_new = Keyring.parse(Secret(f"2:{new}"))
    assert opens(database, only_new, 7)
    [row] = rotations(database)
    assert (row["key_version_old"], row["key_version_new"], row["status"], row["records_updated"]) == (
        1, 2, "completed", 7
    )  # fmt: skip
    assert row["completed_at"] >= row["started_at"]
    assert rotate(database, only_new) == []
    assert len(rotations(database)) == 1


def test_several_old_keys(database: Database) -> None:
    keys = [key(), key(), key()]
    add_shops(database, ring(*keys, current=2), 4)
    shops.install(database, ring(*keys, current=1), domain(0), Secret(TOKEN + "0"))
    done = rotate(database, ring(*keys))
    assert [(one.key_version_old, one.rotated) for one in done] == [(1, 1), (2, 3)]
    assert opens(database, ring(*keys), 4)


def kill_after(batches: int, database: Database, old: str, new: str) -> None:
    died = subprocess.run(
        [sys.executable, "-c", KILLED, str(batches)],
        input=f"{database.urls[Role.PIPELINE]} 1:{old},2:{new}",
        text=True,
        capture_output=True,
        check=False,
    )
    assert died.returncode == -9, died.stderr


def test_a_rotation_that_is_killed_after_its_last_batch_is_closed_by_the_next(database: Database) -> None:
    old, new = key(), key()
    add_shops(database, ring(old), 2)
    kill_after(1, database, old, new)
    assert [row["status"] for row in rotations(database)] == ["in_progress"]
    with database.connect(Role.PIPELINE) as connection:
        connection.execute("INSERT INTO key_rotations (key_version_old, key_version_new) VALUES (1, 3)")
    assert rotate(database, ring(old, new)) == []
    done, other = rotations(database)
    assert (done["status"], done["records_updated"], done["error_message"]) == ("completed", 2, None)
    assert done["completed_at"] >= done["started_at"]
    assert other["status"] == "in_progress", "towards another key"


def test_a_rotation_that_is_killed_goes_on_in_its_own_row(database: Database) -> None:
    old, new = key(), key()
    add_shops(database, ring(old), 8)
    kill_after(2, database, old, new)
    [half] = rotations(database)
    assert (half["status"], half["records_updated"]) == ("in_progress", 6)
    both = ring(old, new)
    assert opens(database, both, 8), "half-way, with both keys, every token opens"
    assert rotate(database, both, batch=3) == [Rotation(1, 2, read=2, rotated=2, failed=())]
    [whole] = rotations(database)
    assert whole["id"] == half["id"]
    assert (whole["status"], whole["records_updated"]) == ("completed", 8)
    assert opens(database, Keyring.parse(Secret(f"2:{new}")), 8)


def test_a_token_that_is_given_meanwhile_stays(database: Database) -> None:
    """The shop gets another token, under the old key, after the batch was read: the rotation must not bring it back."""
    old, new = key(), key()
    add_shops(database, ring(old), 1)
    both = ring(old, new)

    class Slow(Keyring):
        def open(self, sealed: SealedToken, shop_id: UUID, purpose: bytes = ACCESS_TOKEN) -> Secret:
            if sealed.key_version == 1 and not given:
                given.append(shops.install(database, ring(old), domain(0), Secret(TOKEN + "-new")))
            return both.open(sealed, shop_id, purpose)

    given: list[object] = []
    assert rotate(database, Slow(2, both._keys)) == [Rotation(1, 2, read=1, rotated=0, failed=())]
    assert read_access(database, both, domain(0)).token.get_secret_value() == TOKEN + "-new"


def test_two_rotations_at_once(database: Database) -> None:
    old, new = key(), key()
    add_shops(database, ring(old), 20)
    both = ring(old, new)
    done: list[Rotation] = []
    threads = [threading.Thread(target=lambda: done.extend(rotate(database, both, batch=2))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.rotated for one in done) == 20
    assert sum(row["records_updated"] for row in rotations(database)) == 20
    assert {row["status"] for row in rotations(database)} == {"completed"}
    assert opens(database, Keyring.parse(Secret(f"2:{new}")), 20)


def test_a_missing_key_changes_nothing(database: Database) -> None:
    add_shops(database, ring(key()), 2)
    with pytest.raises(KeyringError, match="2 tokens are sealed with key version 1"):
        rotate(database, Keyring.parse(Secret(f"2:{key()}")))
    assert rotations(database) == []


def test_a_token_that_does_not_open_is_named_and_the_rest_goes_on(database: Database) -> None:
    old, new = key(), key()
    add_shops(database, ring(old), 3)
    with database.connect(Role.PIPELINE) as connection:
        connection.execute("UPDATE shops SET access_token_tag = %s WHERE shopify_domain = %s", [bytes(16), domain(1)])
    assert rotate(database, ring(old, new)) == [Rotation(1, 2, read=3, rotated=2, failed=(domain(1),))]
    [row] = rotations(database)
    assert row["status"] == "failed"
    assert domain(1) in row["error_message"]
