"""A running program from a script, over HTTP: typed calls on the REST API, standard library only.

    with Client() as t4dm:                      # http://127.0.0.1:8000, the session "default"
        t4dm.set("lif.v_thresh", 1.1)
        print(t4dm.stats(last_ms=500)["spike_rate"])

Answers are the JSON of ``docs/api.md`` as plain dictionaries; a refusal is raised as :class:`Refused`.
"""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote, urlencode, urlsplit

Answer = dict[str, Any]
Query = Mapping[str, Any]
Picture = Literal["png", "svg"]
DEFAULT_ADDRESS = "http://127.0.0.1:8000"


class Refused(Exception):
    """The program said no: ``status``, ``code``, and the ``field`` with its range where there is one."""

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        super().__init__(str(error.get("message", "refused")))
        self.status, self.code = status, str(error.get("code", ""))
        self.field, self.lo, self.hi = error.get("field"), error.get("lo"), error.get("hi")
        self.choices = error.get("choices")


class Client:
    """One program, and one of its sessions; every call opens its own connection.

    ``key`` defaults to ``T4DM_API_KEY``; that of a single call is an idempotency key: a request that
    is sent again after a lost answer is applied once.  Calls raise :class:`Refused`, or OSError where
    nobody answers.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        session: str = "default",
        key: str | None = None,
        who: str = "script",
        timeout: float = 60.0,
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"an address is http://host:port, got {address!r}")
        self.address, self.session = address.rstrip("/"), session
        self._who, self._timeout = who, timeout
        self._host, self._port, self._is_tls = parts.hostname, parts.port, parts.scheme == "https"
        self._key = os.environ.get("T4DM_API_KEY", "") if key is None else key

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Nothing is held open between two calls."""

    # -- requests ------------------------------------------------------------------------------

    def get(self, path: str, **query: Any) -> Answer:
        """The JSON at ``path``; values that are None are left out."""
        return json.loads(self._ask("GET", path, query))

    def raw(self, path: str, **query: Any) -> bytes:
        """The bytes at ``path``: a picture, a CSV, an encoded window."""
        return self._ask("GET", path, query)

    def send(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The JSON answer to ``body``."""
        return json.loads(self._ask(method, path, {}, body, headers))

    def _ask(
        self,
        method: str,
        path: str,
        query: Query,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        given = {name: value for name, value in query.items() if value is not None}
        url = f"{path}?{urlencode(given)}" if given else path
        sent = {"Accept": "application/json", "X-T4DM-Who": self._who, **(headers or {})}
        if self._key:
            sent["X-API-Key"] = self._key
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        kind = http.client.HTTPSConnection if self._is_tls else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout)
        try:
            connection.request(method, url, data, sent)
            answer = connection.getresponse()
            content = answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"no HTTP answer from {self.address}") from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise Refused(answer.status, _error_of(content))
        return content

    def _of_session(self, **query: Any) -> dict[str, Any]:
        return {"session_id": self.session, **query}

    @property
    def _home(self) -> str:
        return f"/sessions/{quote(self.session, safe='')}"

    # -- spiking -------------------------------------------------------------------------------

    def health(self) -> Answer:
        """Findings with rule, cause and remedies."""
        return self.get("/spiking/health", **self._of_session())

    def stats(self, last_ms: float | None = None) -> Answer:
        """Rates and firing patterns."""
        return self.get("/spiking/stats", **self._of_session(last_ms=last_ms))

    def spike_times(
        self, neurons: int | Iterable[int] = 100, last_ms: float | None = None
    ) -> dict[int, list[float]]:
        """Spike times in ms of so many neurons, or of these ids; every page of them."""
        rows = str(neurons) if isinstance(neurons, int) else ",".join(map(str, neurons)) + ","
        page = self.get("/spiking/spike-times", **self._of_session(neurons=rows, last_ms=last_ms))
        found = {train["neuron"]: list(train["times_ms"]) for train in page["trains"]}
        at = page["window"]
        while page["next_offset"] is not None:
            more = {"from_ms": at["from_ms"], "to_ms": at["to_ms"], "offset": page["next_offset"]}
            page = self.get("/spiking/spike-times", **self._of_session(neurons=rows, **more))
            for train in page["trains"]:
                found[train["neuron"]] += train["times_ms"]
        return found

    def neuromodulators(self) -> Answer:
        """Levels, gains, and what acts on them."""
        return self.get("/spiking/neuromodulators", **self._of_session())

    def weights(self, layer: int | None = None) -> Answer:
        """The newest histograms."""
        return self.get("/spiking/weights", **self._of_session(layer=layer))

    def trace(
        self, rows: Sequence[float] | Sequence[Sequence[float]], steps: int | None = None,
        neurons: Sequence[int] | None = None, verbose: bool = False, kind: str | None = None,
    ) -> Answer:  # fmt: skip
        """What a copy of the model does with ``rows``; the live run goes on.

        ``kind`` says what they are, ``stimulus`` or ``current``; by default their width does.
        """
        body = {"input": rows, "as": kind, "steps": steps, "neurons": neurons, "verbose": verbose}
        return self.send("POST", "/spiking/trace", self._of_session(**body))

    def inject(self, nt: str, level: float, key: str | None = None) -> Answer:
        """Add ``level`` to a neuromodulator; with the same ``key`` once, however often it is sent."""
        body = self._of_session(nt=nt, level=level)
        return self.send("POST", "/spiking/inject-neuromod", body, _once(key))

    def picture(self, what: str, kind: Picture = "png", **query: Any) -> bytes:
        """``spike-raster``, ``thalamic-gate``, ``neuromod-heatmap`` or ``weight-distribution``."""
        return self.raw(f"/visualization/{what}", **self._of_session(format=kind, **query))

    # -- sessions ------------------------------------------------------------------------------

    def command(self, body: Answer | list[Answer], key: str | None = None) -> Answer:
        """One command or a list, answered when it is applied; with the same ``key`` it is once."""
        headers = {"X-T4DM-Ack": "applied"} | _once(key)
        return self.send("POST", f"{self._home}/commands", body, headers)

    def set(self, path: str, value: Any) -> Answer:
        """Set one parameter."""
        return self.command({"type": "set", "path": path, "value": value})

    def run(self) -> Answer:
        return self.command({"type": "run"})

    def pause(self) -> Answer:
        return self.command({"type": "pause"})

    def step(self, n: int = 1) -> Answer:
        """``n`` steps of a paused run; answered when they are done."""
        return self.command({"type": "step", "n": n})

    def params(self) -> Answer:
        """Every parameter with its value and range."""
        return self.get(f"{self._home}/params")

    def change(
        self, values: Mapping[str, Any], clear: Sequence[str] = (), if_rev: int | None = None,
        key: str | None = None,
    ) -> Answer:  # fmt: skip
        """Set and clear parameters together; with ``if_rev`` only at that revision (else 412).

        With the same ``key`` it is done once.
        """
        headers = _once(key) | ({} if if_rev is None else {"If-Match": str(if_rev)})
        body = {"values": dict(values), "clear": list(clear)}
        return self.send("PATCH", f"{self._home}/params", body, headers)

    def sessions(self) -> list[str]:
        """Names of every session."""
        return self.get("/sessions")["sessions"]

    def create(self, *, key: str | None = None, **asked: Any) -> Client:
        """A new session (``name``, ``blocks``, ``n``, ``dt``, ``params``, …) and a client of it.

        Asked for again with the same ``key``, it is the same session.
        """
        made = self.send("POST", "/sessions", asked, _once(key))
        return Client(self.address, made["name"], self._key, self._who, self._timeout)

    def delete(self) -> None:
        """End this session and remove its files."""
        self.send("DELETE", self._home)


def _once(key: str | None) -> dict[str, str]:
    """The header of a request that is applied once; of 1 to 64 printable ASCII characters."""
    return {"Idempotency-Key": key} if key else {}


def _error_of(content: bytes) -> Mapping[str, Any]:
    try:
        return json.loads(content)["error"]
    except (ValueError, KeyError, TypeError):
        return {"code": "refused", "message": content[:200].decode(errors="replace")}
