"""A port for a program under test, out of the range that outgoing connections take theirs from."""

import itertools
import os
import socket

_FIRST, _COUNT = 20_000, 10_000  # Linux hands out 32768 and above, macOS 49152 and above
_next = itertools.count(os.getpid() * 37)


def free_port() -> int:
    """A port of the loopback address that nobody listens on; never the same one twice."""
    for turn in itertools.islice(_next, _COUNT):
        port = _FIRST + turn % _COUNT
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
