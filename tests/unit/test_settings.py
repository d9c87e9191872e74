"""Secrets come from files, and no mistake in the settings repeats one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from campaign_events.settings import SECRETS, Settings

TOLD = "mongodb://ann:sesame@mongo/"  # pragma: allowlist secret
PLAIN = {
    "CARILLON_NATS_URL": "nats://nats:4222",
    "CARILLON_MONGO_URL": "mongodb://mongo",
    "CARILLON_HTTP_PORT": "8000",
    "CARILLON_ISSUER": "issuer",
    "CARILLON_AUDIENCE": "audience",
    "CARILLON_JWKS": "jwks.json",
    "CARILLON_SECRET_FILE": "suppression.key",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith("CARILLON_")]:
        monkeypatch.delenv(name)
    for name, value in PLAIN.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("setting", SECRETS)
def test_a_secret_may_be_in_a_file(
    environment: pytest.MonkeyPatch, tmp_path: Path, setting: str
) -> None:
    name = f"CARILLON_{setting.upper()}"
    environment.delenv(name, raising=False)
    (tmp_path / "secret").write_text(f"{TOLD}\n")
    environment.setenv(f"{name}_FILE", str(tmp_path / "secret"))
    settings = Settings()
    assert getattr(settings, setting) == TOLD
    assert "sesame" not in repr(settings)


def test_what_is_no_secret_is_not_read_from_a_file(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "issuer").write_text("another")
    environment.setenv("CARILLON_ISSUER_FILE", str(tmp_path / "issuer"))
    assert Settings().issuer == "issuer"


def test_a_secret_that_is_given_twice_is_refused(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(TOLD)
    environment.setenv("CARILLON_MONGO_URL_FILE", str(tmp_path / "secret"))
    with pytest.raises(ValueError, match="which one shall it be"):
        Settings()


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), (b"  \n", "is empty"), (b"\xff\xfe", "not text")]
)
def test_a_secret_that_can_not_be_read_is_told(
    environment: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, said: str
) -> None:
    environment.delenv("CARILLON_MONGO_URL")
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    environment.setenv("CARILLON_MONGO_URL_FILE", str(file))
    with pytest.raises(ValueError, match=f"CARILLON_MONGO_URL_FILE names {file}.*{said}"):
        Settings()


def test_a_mistake_in_the_settings_does_not_repeat_what_they_say(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("CARILLON_HTTP_PORT", "sesame")
    with pytest.raises(ValidationError, match="http_port") as raised:
        Settings()
    assert "sesame" not in str(raised.value)


def test_a_service_that_can_not_start_tells_no_secret(tmp_path: Path) -> None:
    (tmp_path / "mongo").write_text(TOLD.replace("mongo/", "127.0.0.1:1/"))
    told = PLAIN | {
        "CARILLON_MONGO_URL_FILE": str(tmp_path / "mongo"),
        "CARILLON_NATS_URL": "nats://127.0.0.1:1",
        "CARILLON_NATS_NKEY": "SUNOTASEEDSESAME",
    }
    del told["CARILLON_MONGO_URL"]
    plain = {name: text for name, text in os.environ.items() if not name.startswith("CARILLON_")}
    ended = subprocess.run(
        [sys.executable, "-m", "moderation"],
        env=plain | told,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )
    assert ended.returncode == 1
    assert "sesame" not in (ended.stdout + ended.stderr).lower()
