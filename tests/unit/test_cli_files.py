import json
import socket
from pathlib import Path

import pytest

from carillon.files import write_atomically
from carillon.servers.credentials import prepare_credentials
from carillon.servers.foreign_server import ForeignServer
from carillon.servers.ports import HIGHEST, LOWEST, Ports
from carillon.services import simulated_link
from carillon.stack import BadSettingsFileError, Options, check_settings_files
from carillon.stack_file import NoStackError, Place, StackFile, read_stack_file, remove_stack_file

STACK = StackFile(
    url="http://127.0.0.1:1",
    nats_url="nats://admin:p@127.0.0.1:2",
    mongo_url="mongodb://admin:p@127.0.0.1:3/",
    services={"nats": Place(7, "nats://127.0.0.1:2"), "mongo": Place(None, "mongodb://m")},
    token_file="/d/token",
)


def test_stack_json_is_read_as_it_was_written(tmp_path: Path) -> None:
    STACK.write(tmp_path)
    assert read_stack_file(tmp_path) == STACK


def test_stack_json_has_the_promised_keys_and_is_its_owners_only(tmp_path: Path) -> None:
    STACK.write(tmp_path)
    file = tmp_path / "stack.json"
    found = json.loads(file.read_text())
    assert set(found) == {"url", "nats_url", "mongo_url", "services", "token_file"}
    assert found["services"]["nats"] == {"pid": 7, "url": "nats://127.0.0.1:2"}
    assert file.stat().st_mode & 0o077 == 0


def test_a_stack_that_ended_is_no_stack(tmp_path: Path) -> None:
    STACK.write(tmp_path)
    remove_stack_file(tmp_path)
    with pytest.raises(NoStackError):
        read_stack_file(tmp_path)


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_atomically(file, "before")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "\udcff")
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_ports_are_the_same_at_the_next_start(tmp_path: Path) -> None:
    first = Ports(tmp_path / "ports.json")
    taken = {name: first.take(name) for name in ("nats", "mongo")}
    first.save()
    second = Ports(tmp_path / "ports.json")
    assert {name: second.take(name) for name in ("nats", "mongo")} == taken
    assert all(LOWEST <= port < HIGHEST for port in taken.values())


def test_a_port_that_somebody_took_since_is_not_used_again(tmp_path: Path) -> None:
    first = Ports(tmp_path / "ports.json")
    port = first.take("nats")
    first.save()
    with socket.create_server(("127.0.0.1", port)):
        assert Ports(tmp_path / "ports.json").take("nats") != port


def test_passwords_are_made_once_and_are_their_owners_only(tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    one = prepare_credentials(folder, ("admin", "campaign"))
    two = prepare_credentials(folder, ("admin", "campaign", "dialler"))
    assert one.passwords.items() < two.passwords.items()
    assert one.secret_file.read_text() == two.secret_file.read_text()
    assert len(set(two.passwords.values())) == 3
    assert set(two.seeds) == {"campaign", "dialler"}
    assert one.seeds["campaign"].read_text() != two.seeds["dialler"].read_text()
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())


def test_the_mongo_key_is_what_mongod_accepts(tmp_path: Path) -> None:
    key = prepare_credentials(tmp_path, ()).mongo_key_file.read_text()
    assert 6 <= len(key) <= 1024
    assert set(key) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def test_a_links_file_that_is_not_toml_is_refused_before_anything_starts(tmp_path: Path) -> None:
    links = tmp_path / "links.toml"
    links.write_text("[[links]\n")
    with pytest.raises(BadSettingsFileError, match=r"links\.toml cannot be used"):
        check_settings_files(Options(data=tmp_path, links=links))


def test_a_links_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSettingsFileError, match="No such file"):
        check_settings_files(Options(data=tmp_path, links=tmp_path / "none.toml"))


def test_a_link_with_a_mistake_is_refused_with_its_line_before_anything_starts(
    tmp_path: Path,
) -> None:
    links = tmp_path / "links.toml"
    links.write_text(simulated_link(2775, "carillon", "secret") + "windw = 3\n")
    with pytest.raises(BadSettingsFileError, match=r"links\.toml:\d+: link \"sim\": unknown field"):
        check_settings_files(Options(data=tmp_path, links=links))


def test_the_made_links_file_is_one_simulated_link(tmp_path: Path) -> None:
    links = tmp_path / "links.toml"
    links.write_text(simulated_link(2775, "carillon", 'se"cret'))
    check_settings_files(Options(data=tmp_path, links=links))
    assert 'id = "sim"' in links.read_text()


def test_the_address_of_somebody_elses_server_is_shown_without_its_login() -> None:
    server = ForeignServer("nats://user:pass@broker:4222")  # pragma: allowlist secret
    assert server.url("campaign") == server.address
    assert server.public_url == "nats://broker:4222"
