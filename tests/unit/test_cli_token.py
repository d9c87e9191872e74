import json
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from typer.testing import CliRunner

from carillon.cli import app, main
from carillon.tokens.identity import Identity
from carillon.tokens.issuer import AUDIENCE, ISSUER, DevelopmentIssuer

SOMEBODY = Identity("u1", "Ünal", "acme", ("author",))


@pytest.fixture
def issuer(tmp_path: Path) -> DevelopmentIssuer:
    return DevelopmentIssuer.prepare(tmp_path / "issuer")


def claims_of(token: str, issuer: DevelopmentIssuer) -> dict[str, object]:
    """What a service reads that knows nothing but the JWKS file."""
    keys = jwt.PyJWKSet.from_json(issuer.jwks_file.read_text())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER)


def test_a_token_verifies_against_the_jwks_file(issuer: DevelopmentIssuer) -> None:
    claims = claims_of(issuer.mint(SOMEBODY), issuer)
    assert claims["sub"] == "u1"
    assert claims["name"] == "Ünal"
    assert claims["workspace"] == "acme"
    assert claims["roles"] == ["author"]


def test_a_token_lives_twelve_hours_unless_told_otherwise(issuer: DevelopmentIssuer) -> None:
    long = claims_of(issuer.mint(SOMEBODY), issuer)
    short = claims_of(issuer.mint(SOMEBODY, timedelta(minutes=5)), issuer)
    assert (long["exp"], short["exp"]) == (
        long["iat"] + 12 * 3600,  # type: ignore[operator]
        short["iat"] + 300,  # type: ignore[operator]
    )


def test_the_key_is_made_once_and_is_its_owners_only(issuer: DevelopmentIssuer) -> None:
    again = DevelopmentIssuer.prepare(issuer.jwks_file.parent)
    assert again.public_jwk() == issuer.public_jwk()
    assert (issuer.jwks_file.parent / "key.pem").stat().st_mode & 0o077 == 0


def test_the_jwks_file_holds_no_private_part(issuer: DevelopmentIssuer) -> None:
    (key,) = json.loads(issuer.jwks_file.read_text())["keys"]
    assert set(key) == {"crv", "kty", "x", "y", "kid", "alg", "use"}


def test_the_command_prints_the_token_and_nothing_else(
    issuer: DevelopmentIssuer, tmp_path: Path
) -> None:
    command = ["token", "--data", str(tmp_path), "--workspace", "w", "--sub", "s", "--name", "N"]
    result = CliRunner().invoke(app, [*command, "--role", "author", "--role", "moderator"])
    assert result.exit_code == 0
    claims = claims_of(result.output.strip(), issuer)
    assert claims["roles"] == ["author", "moderator"]
    assert result.output.count("\n") == 1


def test_an_unknown_role_is_refused(issuer: DevelopmentIssuer, tmp_path: Path) -> None:
    assert issuer.jwks_file.is_relative_to(tmp_path)
    result = CliRunner().invoke(app, ["token", "--data", str(tmp_path), "--role", "king"])
    assert result.exit_code == 2
    assert "king" in result.output


def test_a_folder_without_issuer_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["carillon", "token", "--data", str(tmp_path), "--role=author"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert f"carillon up --data {tmp_path}" in capsys.readouterr().err
