"""Values that nobody should send, for every parameter there is: by hand, each for a reason of its own."""

from __future__ import annotations

from typing import Any

TEXTS = [
    # empty, blank, controls
    "", " ", "  ", "\t", "\n", "\r\n", "\x00", "a\x00b", "\x1b[31m", "\x7f", "\x0b", "\u0085", "\u2028",
    # numbers that are none, or nearly
    "NaN", "nan", "Infinity", "-inf", "1e999", "-1e999", "1e-999", "0x10", "1_000", "١٢٣", "１２",
    "1,5", "1.2.3", "--1", "+-1", "1e", "e1", ".", "-", "+", "1/0", "0/0", "½", "²", "1 2",
    "9" * 30, "-" + "9" * 30, "9" * 5000, "0." + "1" * 5000, "2147483648", "-2147483649",
    "9223372036854775808", "18446744073709551616", "-1", "-0", "00", "1e400", "0b1", "1j", "True",
    # truth and nothing in other languages
    "null", "None", "undefined", "true", "false", "yes", "[]", "{}", "()", "[object Object]",
    # paths
    "..", ".", "../..", "../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "~", "~root",
    "C:\\Windows", "\\\\host\\share", "con", "nul", "file:///etc/passwd", "a/b", "a\\b", ".hidden",
    "-rf", "--help", "x.tmp", "x.json", "default.sock", "a" * 64, "a" * 65, "a" * 300, "a" * 4000,
    # queries, shells, templates, markup
    "' OR '1'='1", "1; DROP TABLE x", "\" --", "`id`", "$(id)", "${7*7}", "{{7*7}}", "{0}", "%s%s%n",
    "%00", "%", "%zz", "%c0%ae", "<script>alert(1)</script>", "<img src=x onerror=a>", "&lt;",
    "javascript:alert(1)", "]]>", "<!--", "<?xml?>", "\r\nSet-Cookie: a=b", "a\r\nX: y",
    # text beyond ASCII
    "é", "e\u0301", "ß", "İ", "日本語", "مرحبا", "\u202eabc", "\u200b", "\ufeff", "\ufffe", "💥" * 50,
    "\U0010ffff", "Z\u0351\u0352" * 40, "Ω" * 1000,
    # what our own grammars nearly allow
    "spread:", "spread:-1", "spread:0", "spread:1e3", "spread:999999999999", "stage:99", "stage:-1",
    "block:", "block:99", "block:0:1", "all,all", "1,,2", ",", "1,", "1,2,3," * 2000, "0-99", "*",
    "lif", "lif.", ".v_thresh", "lif.v_thresh.x", "blocks.99.lif.v_thresh", "blocks.-1.lif.v_thresh",
    "blocks.0x0.lif.v_thresh", "__proto__", "constructor", "__class__", "__import__('os')", "self",
]  # fmt: skip
VALUES: list[Any] = [
    *TEXTS, None, True, False, -1, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63), 10**400, 1e308, -1e308,
    5e-324, 0.1 + 0.2, [], [[]], [None], [[[[[]]]]], {}, {"": ""}, {"a": {"b": {}}}, {"__proto__": 1},
    [1, "2", None], ["a"] * 5000, list(range(5000)), [[0.0] * 64] * 300, {"x" * 500: 1}, [True, False],
]  # fmt: skip
BODIES = [
    b"", b" ", b"\x00", b"\xff\xfe", b"{", b"[", b"]", b"{}", b"[]", b"null", b"true", b"0", b'"x"',
    b"NaN", b"-Infinity", b"1e999", b"{}{}", b"{'a': 1}", b'{"a": 1,}', b'{"a": 1, "a": 2}', b"[1,]",
    b'{"a": NaN}', b'"\\ud800"', b'{"\\ud800": 1}', b"\xef\xbb\xbf{}", b"[" * 31 + b"]" * 31,
    b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 50_000, b'"' + b"x" * 100_000,
    b"9" * 100_000, b"[" + b"0," * 100_000 + b"0]", b"<xml/>", b"a=1&b=2", b"--x\r\n\r\n",
    b'{"type": "set"}' + b" " * 100_000, b'[{"type": "pause"}, 7]', b'{"type": 7}', b'{"type": []}',
    b'{"type": "set", "path": [], "value": {}}', b'{"type": "replace", "values": []}',
    b'{"type": "step", "n": 1e300}', b'{"type": "watch", "neurons": [-1]}',
    b'{"type": "watch", "neurons": "all"}', b'{"type": "break_on", "kind": 0}',
    b'{"type": "note", "text": ' + b'"' + b"x" * 99_999 + b'"}', b'[{"type": "note"}]' * 2,
    b"[" + b'{"type": "pause"},' * 300 + b'{"type": "pause"}]',
]  # fmt: skip
HEADERS = [
    "Content-Type", "X-T4DM-Who", "If-Match", "Idempotency-Key", "Accept", "Accept-Encoding",
    "X-T4DM-Refusals", "Cookie", "X-API-Key", "X-Forwarded-For", "X-Forwarded-Host", "Range",
    "Content-Encoding", "Authorization", "User-Agent", "X-HTTP-Method-Override", "If-None-Match",
]  # fmt: skip
