"""One request for each operation of the API, as a person would type it: the docs show it, a test runs it.

They are listed in the order in which they can be run one after the other.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

ADDRESS = "localhost:8000"


@dataclass(frozen=True, slots=True)
class Example:
    """Arguments of curl beside the address; ``body`` is sent as it stands."""

    method: str
    path: str
    body: str = ""
    options: tuple[str, ...] = ()

    def curl(self) -> str:
        """The line for a shell."""
        words = ["curl", "-s", *self.options]
        if self.method not in ("GET", "POST") or (self.method == "POST" and not self.body):
            words += [] if self.method == "POST" and self.options else ["-X", self.method]
        url = f"{ADDRESS}{self.path}"
        line = shlex.join(words) + " " + (shlex.quote(url) if set("?&") & set(url) else url)
        return line + (f" -d {shlex.quote(self.body)}" if self.body else "")


ROW = "[" + ", ".join(["0", "0.5", "1", "0.5"] * 16) + "]"
EXAMPLES: dict[str, Example] = {
    "healthz": Example("GET", "/healthz"),
    "metrics": Example("GET", "/metrics"),
    "openapi_json": Example("GET", "/openapi.json"),
    "spiking_health": Example("GET", "/spiking/health"),
    "spiking_stats": Example("GET", "/spiking/stats?last_ms=500"),
    "spiking_lif_params": Example("GET", "/spiking/lif-params"),
    "spiking_neuromodulators": Example("GET", "/spiking/neuromodulators"),
    "spiking_weights": Example("GET", "/spiking/weights?layer=2"),
    "spiking_spike_times": Example("GET", "/spiking/spike-times?neurons=0,1,2"),
    "spiking_attention_weights": Example("GET", "/spiking/attention-weights?layer=0"),
    "spiking_dopamine_trace": Example("GET", "/spiking/dopamine-trace?last_ms=2000"),
    "spiking_ach_levels": Example("GET", "/spiking/ach-levels?every_ms=10"),
    "spiking_monoamine_trace": Example("GET", "/spiking/monoamine-trace"),
    "spiking_nt_injection_schedule": Example("GET", "/spiking/nt-injection-schedule"),
    "spiking_inject_neuromod": Example(
        "POST", "/spiking/inject-neuromod", '{"nt": "DA", "level": 0.3}'
    ),
    "spiking_trace": Example(
        "POST", "/spiking/trace", f'{{"input": {ROW}, "steps": 20, "verbose": true}}'
    ),
    "spiking_trace_membrane": Example(
        "POST", "/spiking/trace-membrane", f'{{"input": {ROW}, "steps": 10, "neurons": [0, 300]}}'
    ),
    "learning_stdp_metrics": Example("GET", "/learning/stdp-metrics"),
    "learning_weight_deltas": Example("GET", "/learning/weight-deltas?layer=2"),
    "learning_stdp_windows": Example("GET", "/learning/stdp-windows?layer=0"),
    "learning_hebbian_trace": Example("GET", "/learning/hebbian-trace?last_ms=5000"),
    "learning_homeostatic_state": Example("GET", "/learning/homeostatic-state"),
    "visualization_spike_raster": Example("GET", "/visualization/spike-raster?neurons=100"),
    "visualization_thalamic_gate": Example("GET", "/visualization/thalamic-gate?layer=1"),
    "visualization_neuromod_heatmap": Example("GET", "/visualization/neuromod-heatmap?limit=50"),
    "visualization_weight_distribution": Example(
        "GET", "/visualization/weight-distribution?format=figure"
    ),
    "list_sessions": Example("GET", "/sessions"),
    "create_session": Example(
        "POST", "/sessions",
        '{"name": "small", "blocks": 2, "n": 64, "seed": 3, "params": {"lif.v_thresh": 1.1}}',
    ),
    "get_session": Example("GET", "/sessions/default"),
    "post_commands": Example(
        "POST", "/sessions/default/commands",
        '[{"type": "pause"}, {"type": "step", "n": 10}]',
        ("-H", "Idempotency-Key: ten-steps"),
    ),
    "get_params": Example("GET", "/sessions/default/params"),
    "patch_params": Example(
        "PATCH", "/sessions/default/params", '{"values": {"lif.v_thresh": 1.05}}',
        ("-H", "If-Match: *"),
    ),
    "get_frames": Example(
        "GET", "/sessions/default/frames?span_ms=100", options=("-o", "keyframe.bin")
    ),
    "get_window": Example(
        "GET", "/sessions/default/window?rows=spread:50", options=("-o", "window.bin")
    ),
    "get_records": Example("GET", "/sessions/t/records", options=("-o", "course.bin")),
    "get_samples": Example("GET", "/sessions/t/samples"),
    "get_panel": Example("GET", "/sessions/default/panels/rate.csv"),
    "post_upload": Example(
        "POST", "/sessions/default/uploads", options=("-F", "file=@stimulus.csv")
    ),
    "get_clinic": Example("GET", "/clinic"),
    "post_clinic": Example("POST", "/clinic", '{"steps": 300, "seed": 0}'),
    "delete_clinic": Example("DELETE", "/clinic"),
    "put_set": Example("PUT", "/sets/sparse", '{"values": {"lif.v_thresh": 1.3}}'),
    "list_sets": Example("GET", "/sets"),
    "get_set": Example("GET", "/sets/sparse"),
    "delete_set": Example("DELETE", "/sets/sparse"),
    "delete_session": Example("DELETE", "/sessions/small"),
}  # fmt: skip
