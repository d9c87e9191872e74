"""How many servers a folder has, and where clients find them."""

from pathlib import Path

import pytest

from campaign_events.nats_login import NatsLogin
from carillon.servers.edge import Edge
from carillon.servers.mongo_server import MongoServer
from carillon.servers.nats_server import Cluster, NatsServer
from carillon.servers.nodes import OtherNodesError, nodes_of


def test_the_number_is_chosen_once(tmp_path: Path) -> None:
    assert nodes_of(tmp_path, 3) == 3
    assert nodes_of(tmp_path, None) == 3
    with pytest.raises(OtherNodesError, match="3 server"):
        nodes_of(tmp_path, 1)


def test_a_folder_from_before_has_one(tmp_path: Path) -> None:
    (tmp_path / "nats").mkdir()
    with pytest.raises(OtherNodesError, match="1 server"):
        nodes_of(tmp_path, 3)
    assert nodes_of(tmp_path, None) == 1


def test_two_servers_are_worse_than_one(tmp_path: Path) -> None:
    with pytest.raises(OtherNodesError, match="1 or 3"):
        nodes_of(tmp_path, 2)
    assert nodes_of(tmp_path, None) == 1


def test_every_server_of_a_cluster_is_told_and_known(tmp_path: Path) -> None:
    cluster = Cluster([1, 2, 3], [11, 12, 13], [21, 22, 23])
    first = NatsServer(tmp_path / "nats", 1, 21, "secret", {}, cluster=cluster)

    assert [one.name for one in first.members()] == ["nats", "nats-2", "nats-3"]
    assert [one.port for one in first.members()] == [1, 2, 3]
    assert len({one.folder for one in first.members()}) == 3
    servers = NatsLogin(first.url()).servers
    assert servers == [f"nats://admin:secret@127.0.0.1:{port}" for port in (1, 2, 3)]
    assert NatsLogin("nats://a:1, nats://b:2,").servers == ["nats://a:1", "nats://b:2"]


def test_every_member_of_a_replica_set_is_told(tmp_path: Path) -> None:
    first = MongoServer(tmp_path / "mongo", 1, Path(), {"admin": "secret"}, ports=(1, 2, 3))

    assert [one.name for one in first.members()] == ["mongo", "mongo-2", "mongo-3"]
    assert first.url().startswith("mongodb://admin:secret@127.0.0.1:1,127.0.0.1:2,127.0.0.1:3/?")


def test_the_edge_leaves_one_of_several_processes_alone_that_does_not_answer(
    tmp_path: Path,
) -> None:
    places = {"dispatcher": "127.0.0.1:1,127.0.0.1:2", "campaign": "127.0.0.1:3"}
    config = str(Edge(tmp_path, 8080, places, None).config())

    assert "[{'dial': '127.0.0.1:1'}, {'dial': '127.0.0.1:2'}]" in config
    assert config.count("'/readyz/serving', 'interval'") == config.count("{'dial': '127.0.0.1:2'}")
