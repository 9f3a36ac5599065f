"""The road to a session from outside: files that are only ever replaced are read once."""

import json

import pytest

from t4dm.live import client as client_module
from t4dm.live import paths
from t4dm.live.client import SessionClient, WorkerDown
from t4dm.store.files import write_durable


def test_a_manifest_is_read_anew_when_it_was_replaced_and_only_then(tmp_path, monkeypatch):
    client, path = SessionClient(tmp_path), paths.manifest_path(tmp_path, "default")
    with pytest.raises(WorkerDown):
        client.manifest()
    reads = []
    read = client_module._read_json
    monkeypatch.setattr(client_module, "_read_json", lambda p: reads.append(p) or read(p))
    for number in range(3):
        write_durable(path, json.dumps({"number": number}).encode())
        assert [client.manifest() for _ in range(4)] == [{"number": number}] * 4
    assert reads == [path] * 3
    path.unlink()
    with pytest.raises(WorkerDown):
        client.manifest()
