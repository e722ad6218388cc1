"""The embedded server's everyday life: start, adopt, stop, ports, passwords, logins."""

from neanelu_pipelines.database.connect import Database, Role


def test_each_role_logs_in_as_itself(empty_database: Database) -> None:
    users = []
    for role in Role:
        with empty_database.connect(role) as connection:
            users.append(connection.execute("SELECT current_user").fetchone()[0])
    assert users == ["postgres", "neanelu_pipeline", "neanelu_tenant"]
