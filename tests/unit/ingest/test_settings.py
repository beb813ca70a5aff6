"""Ingest's settings: the webhook secrets."""

from pathlib import Path

import pytest

from laurel_common.config import ConfigError, load_settings
from laurel_ingest.config import IngestSettings
from laurel_ingest.storage.webhook_secrets import RECHECK_SECONDS, WebhookSecrets

OLD, NEW = "the-secret-of-before", "the-secret-from-now-on"
BASE = {
    "LAUREL_DATABASE_URL": "postgresql://x@localhost/x",
    "LAUREL_REDIS_URL": "redis://localhost:1/0",
    "LAUREL_TRUST_FILE": "trust.toml",
    "LAUREL_KEY_FILE": "ingest.key",
}


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        pytest.param(f"{OLD}\n", [OLD], id="one"),
        pytest.param(f"{OLD}\n\n  {NEW}  \n", [OLD, NEW], id="two, while one replaces the other"),
    ],
)
def test_webhook_secrets_are_the_lines_of_a_file(
    tmp_path: Path, text: str, keys: list[str]
) -> None:
    file = tmp_path / "secrets"
    file.touch(mode=0o600)
    file.write_text(text)
    settings = load_settings(IngestSettings, BASE | {"LAUREL_WEBHOOK_SECRETS_FILE": str(file)})
    assert settings.webhook_keys() == [key.encode() for key in keys]
    assert OLD not in repr(settings)


def test_without_secrets_there_are_no_keys() -> None:
    assert load_settings(IngestSettings, BASE).webhook_keys() == []


def test_a_short_secret_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings(IngestSettings, BASE | {"LAUREL_WEBHOOK_SECRETS": f"{OLD}\nshort-one"})
    (problem,) = refused.value.problems
    assert problem.startswith("LAUREL_WEBHOOK_SECRETS: ")
    assert "16 characters" in problem
    assert "short-one" not in problem


def test_secrets_are_read_again_when_their_file_changes_and_outlive_a_bad_one(
    tmp_path: Path,
) -> None:
    file, now = tmp_path / "secrets", [0.0]
    file.touch(mode=0o600)
    file.write_text(OLD)
    settings = load_settings(IngestSettings, BASE | {"LAUREL_WEBHOOK_SECRETS_FILE": str(file)})
    secrets = WebhookSecrets(
        settings.webhook_keys(), settings.webhook_secrets_file, monotonic=lambda: now[0]
    )
    file.write_text(f"{OLD}\n{NEW}\n")
    assert secrets() == [OLD.encode()]
    now[0] += RECHECK_SECONDS
    assert secrets() == [OLD.encode(), NEW.encode()]
    for bad in ("", "short-one", "\n"):
        file.write_text(bad)
        now[0] += RECHECK_SECONDS
        assert secrets() == [OLD.encode(), NEW.encode()], bad
    file.unlink()
    now[0] += RECHECK_SECONDS
    assert secrets() == [OLD.encode(), NEW.encode()]
    file.touch(mode=0o600)
    file.write_text(NEW)
    now[0] += RECHECK_SECONDS
    assert secrets() == [NEW.encode()]
