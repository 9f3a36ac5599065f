"""Caches never pickle and never unpickle, whatever lies in their folder."""

from __future__ import annotations

import pickle
import sqlite3

import diskcache
import pytest
from diskcache.core import MODE_PICKLE
from flask import Flask
from flask_caching import Cache

from dashboard.cache import DiskBackend, SafeDisk, UnsafeValue


@pytest.fixture
def cache(tmp_path):
    with diskcache.Cache(str(tmp_path / "cache"), disk=SafeDisk) as opened:
        yield opened


@pytest.mark.parametrize("value", [b"bytes", "text", 7, 2.5, "long" * 20_000, b"x" * 100_000])
def test_plain_values_come_back(cache, value):
    cache.set("key", value)
    assert cache.get("key") == value


@pytest.mark.parametrize("value", [{"a": 1}, [1], None, (1,), True, 2**70])
def test_values_that_need_a_pickle_are_refused(cache, value):
    with pytest.raises(UnsafeValue):
        cache.set("key", value)
    with pytest.raises(UnsafeValue):
        cache.set(("tuple",), "value")


class Bomb:
    def __reduce__(self):
        return (exec, ("import pathlib; pathlib.Path('exploded').touch()",))


def test_a_planted_pickle_is_refused_and_not_run(cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cache.set("key", "value")
    with sqlite3.connect(tmp_path / "cache" / "cache.db") as db:
        db.execute(
            "UPDATE Cache SET mode = ?, value = ?, filename = NULL",
            (MODE_PICKLE, pickle.dumps(Bomb())),
        )
    with pytest.raises(UnsafeValue):
        cache.get("key")
    assert not (tmp_path / "exploded").exists()


def test_a_planted_path_outside_the_folder_is_refused(cache, tmp_path):
    (tmp_path / "secret").write_text("secret")
    cache.set("key", "text" * 20_000)
    with sqlite3.connect(tmp_path / "cache" / "cache.db") as db:
        db.execute("UPDATE Cache SET filename = '../secret'")
    with pytest.raises(UnsafeValue):
        cache.get("key")


def test_flask_caching_runs_on_it(tmp_path):
    app = Flask("test")
    answers = Cache()
    config = {"CACHE_TYPE": "dashboard.cache.DiskBackend", "CACHE_DIR": str(tmp_path / "c")}
    answers.init_app(app, config=config | {"CACHE_DEFAULT_TIMEOUT": 60})
    with app.app_context():
        assert answers.get("missing") is None
        answers.set("key", "value")
        assert answers.get("key") == "value"
        assert not answers.add("key", "other")
        answers.delete("key")
        assert answers.get("key") is None
    assert (tmp_path / "c").stat().st_mode & 0o777 == 0o700


def test_the_backend_opens_nothing_before_it_is_used(tmp_path):
    """The app is made before the web processes fork, and an open database must not be shared so."""
    backend = DiskBackend(tmp_path)
    assert list(tmp_path.iterdir()) == []
    backend.set("key", "value")
    assert backend.get("key") == "value" and list(tmp_path.iterdir()) != []
