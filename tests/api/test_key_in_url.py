"""A key anywhere in a URL is refused, whatever else the request shows, and nothing repeats it."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from dashboard.keys import Keys
from dashboard.server import create_app
from dashboard.settings import Settings
from tests.api.conftest import HOST

FULL, VIEW, SHORT = "fullkey-secret-123", "view+key/secret&456", "short"


@pytest.fixture(scope="module")
def server(folders):
    """A server with both keys, and the environ of each of its requests, as its log finds it."""
    flask = create_app(Settings(api_key=FULL, view_key=VIEW)).server
    inner, seen = flask.wsgi_app, []
    flask.wsgi_app = lambda environ, start: seen.append(environ) or inner(environ, start)
    return flask.test_client(), seen


@pytest.mark.parametrize("key", [FULL, VIEW])
@pytest.mark.parametrize("shown", [None, FULL, VIEW])
@pytest.mark.parametrize(
    "url",
    [
        "/{}", "/sessions/{}", "/assets/x{}y.css", "/?foo={}", "/?{}=foo", "/healthz?x=a{}b",
        "/login?next=/{}",
    ],
)  # fmt: skip
def test_a_key_in_any_part_of_a_url_is_refused_and_told_to_nobody(server, url, key, shown):
    client, seen = server
    headers = HOST | ({"X-API-Key": shown} if shown else {})
    for written in (quote(key, safe=""), "".join(f"%{byte:02x}" for byte in key.encode())):
        answer = client.get(url.format(written), headers=headers)
        assert answer.status_code == 400
        assert answer.get_json()["error"]["code"].startswith("key_in_")
        environ = seen[-1]
        logged = [
            text for name, text in environ.items() if isinstance(text, str) and "KEY" not in name
        ]
        for text in (answer.text, str(answer.headers), *logged):
            assert key not in text and written not in text


def test_a_url_without_one_is_answered(server):
    headers = HOST | {"X-API-Key": FULL}
    for url in (f"/?foo={FULL[:-1]}", f"/?foo={FULL[1:]}", "/?foo=fullkey"):
        assert server[0].get(url, headers=headers).status_code == 200


def test_a_key_that_could_be_guessed_so_is_not_looked_for(folders):
    keys = Keys(Settings(api_key=SHORT, view_key=FULL))
    assert not keys.stands_in(f"/{SHORT}".encode())
    assert keys.stands_in(f"/{SHORT}/{FULL}".encode())
    assert not keys.stands_in(b"")
