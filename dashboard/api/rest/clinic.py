"""``/clinic``: the table of seventeen faults, made in the background."""

from __future__ import annotations

from flask import Response

from dashboard import clinic
from dashboard.api.errors import json_response
from dashboard.api.operations import operation
from dashboard.api.rest.clinic_answers import ClinicAsk, ClinicState


@operation("GET", "/clinic", ClinicState, tag="sessions")
def get_clinic() -> Response:
    """How far the table is that is being made, its rows so far, and the newest finished one."""
    return json_response(clinic.state())


@operation(
    "POST", "/clinic", ClinicState, tag="sessions", body=ClinicAsk, status=201,
    also={409: "A table is being made."},
)  # fmt: skip
def post_clinic(body: ClinicAsk) -> Response:
    """Train the sound model and each of the seventeen faulty ones, one after the other.

    Ten minutes of one core at 300 steps.  Runs that an earlier, cancelled table of the same seed and
    steps has are not trained again.
    """
    return json_response(clinic.start(body.seed, body.steps), 201)


@operation(
    "DELETE", "/clinic", ClinicState, tag="sessions", also={409: "No table is being made."}
)  # fmt: skip
def delete_clinic() -> Response:
    """Cancel the table that is being made: its process is killed, runs that are done are kept."""
    return json_response(clinic.cancel())
