"""Who may do what: two keys, the signed cookie that stands for one in a browser, and its secret.

Two kinds of access: ``full`` and ``view`` (may look, changes nothing).  Keys are compared as bytes
in constant time, and stand in no log, no URL and no file.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Literal

from itsdangerous import BadData, URLSafeTimedSerializer

from dashboard.settings import Settings
from t4dm.live import paths
from t4dm.store.files import sync_folder

Access = Literal["full", "view"]
SECRET_BYTES = 32
LONG = 12
SALT = "t4dm-login"


class Keys:
    """The keys of one server.  Without a key everybody who reaches it has full access."""

    def __init__(self, settings: Settings) -> None:
        given: dict[Access, str] = {"full": settings.api_key, "view": settings.view_key}
        self._keys = {access: key.encode() for access, key in given.items() if key}
        self.wanted = bool(self._keys)
        self.cookie = f"t4dm-{settings.port}"
        self.max_age_s = round(settings.login_hours * 3600)
        if self.wanted:
            secret = read_secret(paths.data_dir() / "login.secret")
            self._signer = URLSafeTimedSerializer(
                secret, salt=SALT, signer_kwargs={"digest_method": hashlib.sha256}
            )
            self._marks: dict[str, str] = {
                access: hmac.new(secret, key, hashlib.sha256).hexdigest()[:16]
                for access, key in self._keys.items()
            }

    def access_of_key(self, given: bytes) -> Access | None:
        """What ``given`` opens; None where it is no key of this server."""
        found: Access | None = None
        for access, key in self._keys.items():
            if hmac.compare_digest(given, key):
                found = access
        return found

    def stands_in(self, text: bytes) -> bool:
        """Whether a key stands anywhere in ``text``; how long this takes says nothing of the keys.

        Keys of less than 12 bytes are not looked for: this answers thousands of guesses at once, and
        nobody counts them.
        """
        found = False
        for key in self._keys.values():
            if (length := len(key)) >= LONG:
                for at in range(len(text) - length + 1):
                    found |= hmac.compare_digest(text[at : at + length], key)
        return found

    def sign(self, access: Access) -> str:
        """The cookie's value for who has shown the key of ``access``."""
        return str(self._signer.dumps([access, self._marks[access]]))

    def access_of_cookie(self, value: str) -> Access | None:
        """What a cookie opens; None where it is altered, too old, or of a key that has changed."""
        try:
            access, mark = self._signer.loads(value, max_age=self.max_age_s)
        except (BadData, ValueError, TypeError):
            return None
        known = self._marks.get(access) if isinstance(access, str) else None
        fits = known is not None and isinstance(mark, str)
        return access if fits and hmac.compare_digest(mark, str(known)) else None


def read_secret(path: Path) -> bytes:
    """The 32 random bytes in ``path`` (0600), made where there are none; raises OSError."""
    for _ in range(2):
        try:
            secret = path.read_bytes()
            if len(secret) == SECRET_BYTES and not path.stat().st_mode & 0o077:
                return secret
            path.unlink()  # torn, or others could read it: every login begins anew
        except FileNotFoundError:
            pass
        _make_secret(path)
    return path.read_bytes()


def _make_secret(path: Path) -> None:
    """A new secret at ``path`` unless another process was faster."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "wb") as file:
        file.write(secrets.token_bytes(SECRET_BYTES))
        file.flush()
        os.fsync(fd)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    sync_folder(path.parent)
