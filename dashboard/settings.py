"""The web side's settings, read once from the environment."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from t4dm.live.limits import limits_from_env, number_from_env
from t4dm.live.registry import DEFAULT_LIMITS, Limits

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
MAX_KEY = 200
MAX_HOURS = 24 * 30
MAX_HOPS = 5


def is_loopback(name: str) -> bool:
    """Whether an address or a host name is this machine's own: localhost, 127.0.0.0/8 or ::1."""
    if name.lower() in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Rates:
    """How many requests one address may make: reads and changes in 10 s, wrong keys in a minute."""

    reads: int = 6000
    changes: int = 600
    wrong_keys: int = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """Address, keys and limits of one web process.

    ``host`` is the address bound to, ``extra_hosts`` the further names it answers to.  ``api_key``
    may do everything, ``view_key`` may only look.  ``proxy_hops``: proxies of ours in front.
    ``limits``: of the sessions that may be created.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str = ""
    extra_hosts: tuple[str, ...] = ()
    max_body: int = 1 << 20
    view_key: str = ""
    login_hours: float = 12.0
    proxy_hops: int = 0
    limits: Limits = DEFAULT_LIMITS
    rates: Rates = field(default_factory=Rates)

    @property
    def loopback_only(self) -> bool:
        return is_loopback(self.host)

    def refusal(self) -> str | None:
        """Why these settings must not be served, in one sentence; None when they may."""
        for name, key in (("T4DM_API_KEY", self.api_key), ("T4DM_VIEW_KEY", self.view_key)):
            if len(key) > MAX_KEY or any(char.isspace() or not char.isprintable() for char in key):
                return f"{name} must be at most {MAX_KEY} printable characters without spaces."
        if self.view_key and self.view_key == self.api_key:
            return "T4DM_VIEW_KEY must differ from T4DM_API_KEY: it may only look."
        if self.api_key:
            return None
        if self.view_key:
            return "T4DM_VIEW_KEY alone would leave everything else open: set T4DM_API_KEY too."
        if not self.loopback_only:
            return (
                f"T4DM_HOST={self.host} would open the dashboard to other machines without a key: "
                "set T4DM_API_KEY, or leave T4DM_HOST at 127.0.0.1."
            )
        foreign = [name for name in self.extra_hosts if not is_loopback(name)]
        if foreign or self.proxy_hops:
            what = f"T4DM_ALLOWED_HOSTS={foreign[0]}" if foreign else "T4DM_PROXY_HOPS"
            return f"{what} would serve other machines without a key: set T4DM_API_KEY."
        return None


def settings_from_env(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from ``PORT`` and ``T4DM_*``; raises ValueError naming the one that is wrong."""
    env = os.environ if environ is None else environ
    text = env.get("PORT", "8000")
    hosts = env.get("T4DM_ALLOWED_HOSTS", "")
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 65535):
        raise ValueError(f"PORT must be a number from 1 to 65535, got {text[:20]!r}")
    return Settings(
        host=env.get("T4DM_HOST", "127.0.0.1") or "127.0.0.1",
        port=int(text),
        api_key=env.get("T4DM_API_KEY", ""),
        view_key=env.get("T4DM_VIEW_KEY", ""),
        extra_hosts=tuple(h.strip() for h in hosts.split(",") if h.strip()),
        login_hours=number_from_env(env, "T4DM_LOGIN_HOURS", 12.0, 0.01, MAX_HOURS),
        proxy_hops=int(number_from_env(env, "T4DM_PROXY_HOPS", 0, 0, MAX_HOPS)),
        limits=limits_from_env(env),
    )
