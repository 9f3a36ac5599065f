"""The web side's settings, read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Settings:
    """Address, key and folders of one web process.

    ``host`` is the address bound to, ``extra_hosts`` the further names it answers to.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str = ""
    extra_hosts: tuple[str, ...] = ()
    max_body: int = 1 << 20

    @property
    def loopback_only(self) -> bool:
        return self.host in LOOPBACK_NAMES

    def refusal(self) -> str | None:
        """Why these settings must not be served, in one sentence; None when they may."""
        if self.loopback_only or self.api_key:
            return None
        return (
            f"T4DM_HOST={self.host} would open the dashboard to other machines without a key: "
            "set T4DM_API_KEY, or leave T4DM_HOST at 127.0.0.1."
        )


def settings_from_env(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from ``PORT`` and ``T4DM_*``; raises ValueError naming a port that is not one."""
    env = os.environ if environ is None else environ
    text = env.get("PORT", "8000")
    hosts = env.get("T4DM_ALLOWED_HOSTS", "")
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 65535):
        raise ValueError(f"PORT must be a number from 1 to 65535, got {text[:20]!r}")
    return Settings(
        host=env.get("T4DM_HOST", "127.0.0.1") or "127.0.0.1",
        port=int(text),
        api_key=env.get("T4DM_API_KEY", ""),
        extra_hosts=tuple(h.strip() for h in hosts.split(",") if h.strip()),
    )
