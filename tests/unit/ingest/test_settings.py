"""Ingest's settings: the webhook secrets."""

from pathlib import Path

import pytest

from laurel_common.config import ConfigError, load_settings
from laurel_ingest.config import IngestSettings

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
