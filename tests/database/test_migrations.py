"""The runner of migrations: in order, once, one at a time, and nothing half-done."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue

import psycopg
import pytest

from neanelu_pipelines.database import migrations
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.migrations import (
    EditedMigrationError,
    FailedMigrationError,
    InterruptedMigrationError,
    LateMigrationError,
    NewerDatabaseError,
    migrate,
    pending,
)
from neanelu_pipelines.database.server import UnusableServerError
from neanelu_pipelines.database.statements import sql_root
from tests.database.rows import scalar

Write = Callable[[str, str], Path]
FILES = sorted((sql_root() / "migrations").glob("*.sql"))


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Replaces the product's migrations by the two first and whatever the test writes."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    for file in FILES[:2]:
        shutil.copy(file, folder)
    monkeypatch.setattr(migrations, "sql_root", lambda: tmp_path)

    def write(name: str, text: str) -> Path:
        (folder / name).write_text(text, encoding="utf-8")
        return folder / name

    return write


def _history(database: Database) -> dict[str, tuple[bool, str | None]]:
    with database.connect(Role.ADMIN) as connection:
        rows = connection.execute("SELECT migration_name, success, error_message FROM migration_history").fetchall()
    return {name: (success, message) for name, success, message in rows}


def test_everything_is_applied_once_and_written_down(empty_database: Database) -> None:
    names = [file.name for file in FILES]
    assert [missing.name for missing in pending(empty_database)] == names
    assert [applied.name for applied in migrate(empty_database)] == names
    assert pending(empty_database) == []
    assert migrate(empty_database) == []
    with empty_database.connect(Role.ADMIN) as connection:
        rows = connection.execute(
            "SELECT migration_name, checksum, applied_by, success, execution_time_ms >= 0 FROM migration_history"
            " ORDER BY migration_name"
        ).fetchall()
    assert rows == [(file.name, sha256(file.read_bytes()).hexdigest(), "postgres", True, True) for file in FILES]


def test_looking_changes_nothing(empty_database: Database) -> None:
    pending(empty_database)
    with empty_database.connect(Role.ADMIN) as connection:
        assert scalar(connection, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == 0


def test_of_two_runners_one_waits_and_finds_nothing_to_do(empty_database: Database) -> None:
    with ThreadPoolExecutor(3) as pool:
        applied = list(pool.map(lambda _: migrate(empty_database), range(3)))
    assert sorted(map(len, applied)) == [0, 0, len(FILES)]


def test_who_waits_for_another_says_for_whom(empty_database: Database) -> None:
    said: SimpleQueue[str] = SimpleQueue()
    with empty_database.connect(Role.ADMIN, autocommit=True) as other, ThreadPoolExecutor(1) as pool:
        other.execute((sql_root() / "database" / "lock_migrations.sql").read_text(encoding="utf-8"))
        applied = pool.submit(migrate, empty_database, said.put)
        words = said.get(timeout=10)
        assert f"another migrate of this database (server process {other.info.backend_pid}, since 20" in words
        assert not applied.done()
        other.close()
        assert len(applied.result()) == len(FILES)
    assert migrate(empty_database, said.put) == []
    assert said.empty(), "alone there is nothing to say"


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("CREATE TABLE a (x int);\n\n-- then;\nSELECT 1,\n  nonsense;\n", 5, 'column "nonsense" does not exist'),
        ("CREATE TABLE a (x int);\nSELECT ';',\n\n 1 / 0;\n", 2, "division by zero"),
        ("CREATE TABLE a (x int);\nDO $do$ BEGIN\n  RAISE 'on; purpose';\nEND $do$;\n", 2, "on; purpose"),
        ("/* a;\n b */\nCREATE TABLE a (\n  x int,,\n);\n", 4, 'syntax error at or near ","'),
    ],
)
def test_a_failed_one_leaves_nothing_but_its_row(
    empty_database: Database, write: Write, text: str, line: int, why: str
) -> None:
    file = write("0003_wrong.sql", text)
    write("0004_next.sql", "CREATE TABLE b (x int);")
    with pytest.raises(FailedMigrationError) as failure:
        migrate(empty_database)
    assert f"0003_wrong.sql, line {line}: {why}" in str(failure.value)
    history = _history(empty_database)
    assert history["0003_wrong.sql"] == (False, f"line {line}: {why}")
    assert "0004_next.sql" not in history
    with empty_database.connect(Role.ADMIN) as connection:
        assert scalar(connection, "SELECT to_regclass('a')") is None
        assert scalar(connection, "SELECT to_regclass('shops')") is not None
    assert [(missing.name, missing.failure) for missing in pending(empty_database)] == [
        ("0003_wrong.sql", f"line {line}: {why}"),
        ("0004_next.sql", None),
    ]

    file.write_text("CREATE TABLE a (x int);", encoding="utf-8")
    assert [applied.name for applied in migrate(empty_database)] == ["0003_wrong.sql", "0004_next.sql"]
    assert _history(empty_database)["0003_wrong.sql"] == (True, None)


def test_one_that_ends_its_transaction_itself_is_refused_in_true_words(empty_database: Database, write: Write) -> None:
    write("0003_own.sql", "CREATE TABLE a (x int);\nCOMMIT;\nCREATE TABLE b (x int);")
    with pytest.raises(FailedMigrationError, match=r"0003_own\.sql, line 2: .* may have been kept"):
        migrate(empty_database)
    assert not _history(empty_database)["0003_own.sql"][0]
    with empty_database.connect(Role.ADMIN) as connection:
        assert scalar(connection, "SELECT to_regclass('b')") is None


def test_the_first_one_failing_is_written_down_too(empty_database: Database, write: Write) -> None:
    write("0000_wrong.sql", "SELECT nonsense;")
    with pytest.raises(FailedMigrationError, match=r"0000_wrong\.sql, line 1"):
        migrate(empty_database)
    assert _history(empty_database).keys() == {"0000_wrong.sql"}


def test_a_failed_one_does_not_leave_its_role_behind(empty_database: Database, write: Write) -> None:
    write("0003_wrong.sql", "SET ROLE neanelu_tenant;\nSELECT nonsense;")
    with pytest.raises(FailedMigrationError):
        migrate(empty_database)
    assert not _history(empty_database)["0003_wrong.sql"][0]


def test_an_edited_one_is_refused(empty_database: Database, write: Write) -> None:
    file = write("0003_fine.sql", "CREATE TABLE a (x int);")
    migrate(empty_database)
    file.write_text("CREATE TABLE a (x bigint);", encoding="utf-8")
    write("0004_next.sql", "CREATE TABLE b (x int);")
    for refused in (migrate, pending):
        with pytest.raises(EditedMigrationError, match=r"0003_fine\.sql changed.*new migration"):
            refused(empty_database)
    assert "0004_next.sql" not in _history(empty_database)


def test_one_with_a_number_below_an_applied_one_is_refused_by_all_that_look(
    empty_database: Database, write: Write
) -> None:
    write("0010_first.sql", "CREATE TABLE a (x int);")
    migrate(empty_database)
    # As an older release that gets several files at once: none is late.
    write("0012_second.sql", "SELECT nonsense;")
    write("0013_third.sql", "CREATE TABLE c (x int);")
    with pytest.raises(FailedMigrationError):
        migrate(empty_database)
    write("0011_between.sql", "CREATE TABLE d (x int);")
    assert [missing.name[:4] for missing in pending(empty_database)] == ["0011", "0012", "0013"], "0012 was not applied"
    write("0012_second.sql", "CREATE TABLE b (x int);")
    assert len(migrate(empty_database)) == 3

    late = write("0009_late.sql", "CREATE TABLE late (x int);")
    said = r"0009_late\.sql would run after 0013_third\.sql.*Give it a number above 0013"
    for refused in (migrate, pending):
        with pytest.raises(LateMigrationError, match=said):
            refused(empty_database)
    assert "0009_late.sql" not in _history(empty_database)
    late.rename(late.with_name("0014_late.sql"))
    assert [applied.name for applied in migrate(empty_database)] == ["0014_late.sql"]


def test_a_database_of_a_newer_version_is_refused(empty_database: Database, write: Write) -> None:
    file = write("0003_newer.sql", "CREATE TABLE a (x int);")
    migrate(empty_database)
    file.unlink()
    for refused in (migrate, pending):
        with pytest.raises(NewerDatabaseError, match=r"newer version.*0003_newer\.sql"):
            refused(empty_database)


def test_a_server_without_an_extension_is_refused(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "EXTENSIONS", ("citext", "no_such_extension"))
    with pytest.raises(UnusableServerError, match="no_such_extension") as refusal:
        migrate(empty_database)
    assert "\n" not in str(refusal.value)


def test_a_lost_connection_can_be_tried_again(empty_database: Database, write: Write) -> None:
    file = write("0003_lost.sql", "CREATE TABLE a (x int);\nSELECT pg_terminate_backend(pg_backend_pid());")
    with pytest.raises(InterruptedMigrationError) as failure:
        migrate(empty_database)
    assert failure.value.transient
    file.write_text("CREATE TABLE a (x int);", encoding="utf-8")
    assert [applied.name for applied in migrate(empty_database)] == ["0003_lost.sql"]


def test_a_login_that_is_no_superuser_can_migrate(empty_database: Database) -> None:
    """As on a managed server: it owns the database, may make roles and bypasses row-level security."""
    with empty_database.connect(Role.ADMIN, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS neanelu_test_admin")
        connection.execute("CREATE ROLE neanelu_test_admin LOGIN CREATEROLE BYPASSRLS PASSWORD 'only-here'")
        name = scalar(connection, "SELECT current_database()")
        connection.execute(f"ALTER DATABASE {name} OWNER TO neanelu_test_admin")
        connection.execute("CREATE EXTENSION vector")  # the only one that is not trusted
        for role in ("neanelu_owner", "neanelu_pipeline", "neanelu_tenant"):
            connection.execute(f"GRANT {role} TO neanelu_test_admin WITH ADMIN OPTION")
    admin = empty_database.urls[Role.ADMIN]
    login = psycopg.conninfo.make_conninfo(admin, user="neanelu_test_admin", password="only-here")
    database = Database({**empty_database.urls, Role.ADMIN: login})
    try:
        assert len(migrate(database)) == len(FILES)
    finally:
        with empty_database.connect(Role.ADMIN, autocommit=True) as connection:
            connection.execute("REASSIGN OWNED BY neanelu_test_admin TO postgres")
            connection.execute("DROP OWNED BY neanelu_test_admin CASCADE")
            connection.execute("DROP ROLE neanelu_test_admin")
