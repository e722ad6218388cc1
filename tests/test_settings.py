"""Settings: each is in .env.example, each has a description, and secrets do not show."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from neanelu_pipelines.settings import Settings, SettingsError, settings

ROOT = Path(__file__).resolve().parent.parent
NAME = re.compile(r"^#? ?(NEANELU_[A-Z_]+)=", re.MULTILINE)
NOT_OURS = {"NEANELU_DAGSTER_STORAGE_URL"}
"""Read by dagster.yaml, not by `Settings`."""


def test_the_example_lists_every_setting_and_no_other() -> None:
    listed = NAME.findall((ROOT / ".env.example").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted({f"NEANELU_{name.upper()}" for name in Settings.model_fields} | NOT_OURS)


def test_the_example_shows_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"NEANELU_{name.upper()}", raising=False)
    shown = Settings(_env_file=ROOT / ".env.example")
    assert shown == Settings()


def test_every_variable_that_dagster_yaml_reads_is_in_the_example() -> None:
    read = re.findall(r"env:\s*([A-Z_]+)", (ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    listed = NAME.findall((ROOT / ".env.example").read_text(encoding="utf-8"))
    assert read
    assert set(read) <= set(listed)


def test_every_setting_says_what_it_is() -> None:
    assert not [name for name, field in Settings.model_fields.items() if not field.description]


def test_secrets_do_not_show() -> None:
    secret = "postgresql://u:geheim-parola@h/d"
    names = [name for name in Settings.model_fields if name.endswith("database_url")]
    assert len(names) == 4
    given: dict[str, Any] = {name: SecretStr(secret) for name in names}
    settings = Settings(**given)
    assert "geheim-parola" not in repr(settings) + str(settings) + str(settings.model_dump())


def test_a_setting_that_cannot_be_used_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEANELU_MAX_REJECT_SHARE", "a-secret")
    settings.cache_clear()
    with pytest.raises(SettingsError, match=r"^NEANELU_MAX_REJECT_SHARE: .* number") as refused:
        settings()
    assert "a-secret" not in str(refused.value)
    assert refused.value.__context__ is None


@pytest.mark.parametrize("url", ["ftp://ana:parola@arhiva.example/a", "simplecache::s3://cheie:parola@galeata/a"])
def test_a_login_in_the_artifact_url_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("NEANELU_ARTIFACT_URL", url)
    settings.cache_clear()
    with pytest.raises(SettingsError, match=r"^NEANELU_ARTIFACT_URL: .* take user:password@ out") as refused:
        settings()
    assert "parola" not in str(refused.value)
    monkeypatch.setenv("NEANELU_ARTIFACT_URL", "s3://galeata/ana@casa")
    settings.cache_clear()
    assert settings().artifact_root == "s3://galeata/ana@casa"


def test_months_begin_with_one_that_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEANELU_MONTHS_FROM", "2999-01")
    settings.cache_clear()
    with pytest.raises(SettingsError, match=r"^NEANELU_MONTHS_FROM: .* has not begun"):
        settings()
