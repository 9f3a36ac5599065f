"""Bodies without a length (chunked): one that is too long is refused, and no part of it applied."""

from __future__ import annotations

import io

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from dashboard.api.rest.sessions import FORM_OVERHEAD
from t4dm.stimuli.tables import MAX_FILE_BYTES

HOST = {"Host": "localhost"}
CHANGE = b'{"values": {"lif.v_thresh": 1.77}}'
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ROADS = [
    ("PATCH", "/sessions/default/params", CHANGE, {}),
    ("POST", "/spiking/inject-neuromod", b'{"nt": "DA", "level": 0.1}', {}),
    ("POST", "/sessions/default/commands", b'{"type": "pause"}', {}),
    ("POST", "/sessions", b'{"name": "of-a-part"}', {}),
    ("POST", "/_dash-update-component", b'{"output": "x.y"}', {}),
    ("POST", "/login", b"next=/sessions&key=x", FORM),
]


def chunked(app, method, path, body, headers, stream=io.BytesIO):
    """``body`` as gunicorn hands on what came in chunks: a stream with an end and no length."""
    builder = EnvironBuilder(path=path, method=method, headers=HOST | headers)
    environ = builder.get_environ()
    environ |= {"wsgi.input": stream(body), "wsgi.input_terminated": True}
    environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "REMOTE_ADDR": "127.0.0.1"}
    environ.pop("CONTENT_LENGTH", None)
    return Response.from_app(app, environ, buffered=True)


def padded(app, body, more):
    """``body`` with spaces, so many bytes ``more`` than are taken."""
    return body.ljust(app.config["MAX_CONTENT_LENGTH"] + more)


@pytest.mark.parametrize(("method", "path", "body", "headers"), ROADS)
def test_a_body_that_is_too_long_is_not_cut_and_applied(app, bare, method, path, body, headers):
    long = padded(app, body, 1) + b"}}}GARBAGE"
    answer = chunked(app, method, path, long, headers)
    assert answer.status_code == 413, answer.get_data()
    assert answer.get_json()["error"]["code"] == "too_large"
    named = bare.open(path, method=method, data=long, headers=HOST | headers)
    assert named.status_code == 413


@pytest.mark.parametrize(("method", "path", "body", "headers"), ROADS[:1] + ROADS[-2:])
def test_a_body_of_just_the_most_bytes_is_read(app, method, path, body, headers):
    answer = chunked(app, method, path, padded(app, body, 0), headers)
    assert answer.status_code in (303, 422, 503), answer.get_data()


class CutOff(io.BytesIO):
    """A body whose end never comes, as gunicorn tells it."""

    def read(self, size=-1):
        got = super().read(size)
        if size and not got:
            raise OSError("no more data")
        return got


def test_a_body_cut_off_at_the_bound_is_a_bad_request(app):
    method, path, body, headers = ROADS[0]
    answer = chunked(app, method, path, padded(app, body, 0), headers, CutOff)
    assert answer.status_code == 400, answer.get_data()


def test_an_upload_that_is_too_long_is_refused(app):
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    body = head + b"0\n" * ((MAX_FILE_BYTES + FORM_OVERHEAD) // 2) + b"\r\n--x--\r\n"
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = chunked(app, "POST", "/sessions/default/uploads", body, form)
    assert answer.status_code == 413, answer.get_data()
