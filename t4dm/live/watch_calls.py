"""Which calls of a module are under way, whatever ended the one before.

torch runs an ``always_call`` hook where a call raised an ``Exception``, and no hook at all where it ended
by any other exception (Ctrl-C, ``SystemExit``, a cancelled task).  So a call that was never heard to end
counts for as long as the stack of its thread has it.
"""

from __future__ import annotations

import sys
import threading
from types import FrameType

from torch import nn

from t4dm.live.watch_hooks import Gate

_CALL = nn.Module._call_impl.__code__  # the frame that runs a module's hooks and its forward


class Calls:
    """The calls of one module: ``depth`` of them under way, all on the thread of ``gate``."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.depth = 0
        self._handled = 0

    def enter(self, module: nn.Module) -> bool:
        """Take in that a call begins; whether it is the first one, and inside no other."""
        mine = threading.get_ident()
        if self.depth and self._is_under_way(module, mine):
            self.depth += self._gate.thread == mine
            return False
        self.depth, self._gate.thread = 1, mine
        self._handled = id(sys.exc_info()[1])
        return True

    def leave(self, module: nn.Module) -> bool:
        """Take in that a call ends; whether it is the first one."""
        if not self.depth or self._gate.thread != threading.get_ident():
            return False
        self.depth -= 1
        if self.depth and not self._is_under_way(module, self._gate.thread):
            self.depth = 0
        return not self.depth

    @property
    def raised(self) -> bool:
        """Whether the first call ends by an exception, asked in its last hook."""
        return id(sys.exc_info()[1]) != self._handled

    def _is_under_way(self, module: nn.Module, mine: int) -> bool:
        """Whether the thread has a call of ``module`` on its stack, beside the one that asks."""
        thread = self._gate.thread
        frame: FrameType | None = sys._current_frames().get(thread)
        own = thread == mine
        while frame is not None:
            if frame.f_code is _CALL and frame.f_locals.get("self") is module:
                if not own:
                    return True
                own = False
            frame = frame.f_back
        return False
