"""Seventeen faults stay mended, and each check is proved to see its fault."""

import re
from pathlib import Path

import pytest
import torch

from t4dm.ablations import FAULTS, NONE, Ablation, ablations_of
from tests.unit.training.fault_checks import CHECKS, zone_in_bfloat16

torch.set_num_threads(1)

ROOT = Path(__file__).resolve().parents[3]
WORDS = {
    Ablation.MEMORY_GATE_TRANSPOSED: (RuntimeError, "size of tensor"),
    Ablation.LIQUID_STATE_DTYPE: (RuntimeError, "same dtype"),
    Ablation.ROUTER_TOP_K_UNCLAMPED: (RuntimeError, "selected index k out of range"),
    Ablation.BRIDGE_FIXED_TIMESTEPS: (RuntimeError, "is invalid for input of size"),
    Ablation.GIF_STATE_DTYPE: (RuntimeError, "same dtype"),
    Ablation.BRIDGE_DTYPE: (RuntimeError, "same dtype"),
    Ablation.THALAMUS_GAIN_DTYPE: (RuntimeError, "same dtype"),
    Ablation.BASAL_GANGLIA_FLOAT_SUM: (AttributeError, "'float' object has no attribute"),
    Ablation.GRID_CONSTANT_UNREGISTERED: (RuntimeError, "is not on the expected device"),
}
ALL = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.ablation.value)


@ALL
def test_the_fault_is_mended(fault):
    CHECKS[fault.ablation](NONE)


@ALL
def test_the_check_sees_the_fault(fault):
    """With the old behaviour on, a curve fault shows its number and an error fault its error."""
    kind, words = WORDS.get(fault.ablation, (AssertionError, r"\d"))
    with pytest.raises(kind, match=words):
        CHECKS[fault.ablation](frozenset({fault.ablation}))


@ALL
def test_other_faults_leave_the_check_alone(fault):
    """Each switch does its own harm and no other; left out are errors on the way to the number."""
    others = frozenset(Ablation) - {fault.ablation}
    entangled: dict[Ablation, set[Ablation]] = {
        Ablation.BRIDGE_FIXED_TIMESTEPS: {Ablation.BRIDGE_DTYPE},
        Ablation.BRAIN_RESIDUAL_FULL: {
            Ablation.BRIDGE_FIXED_TIMESTEPS,
            Ablation.ROUTER_TOP_K_UNCLAMPED,
        },
        Ablation.NO_PROSODY_IN_WAKE: {Ablation.MEMORY_GATE_TRANSPOSED},
    }
    CHECKS[fault.ablation](others - entangled.get(fault.ablation, set()))


def test_there_are_seventeen_and_the_table_names_them_in_order():
    assert [fault.number for fault in FAULTS] == list(range(1, 18))
    assert [fault.ablation for fault in FAULTS] == list(Ablation)
    assert {fault.ablation for fault in FAULTS if fault.kind == "error"} == set(WORDS)


@ALL
def test_the_module_named_holds_the_switch(fault):
    source = ROOT / (fault.module.replace(".", "/") + ".py")
    assert f"Ablation.{fault.ablation.name} " in source.read_text()


@ALL
def test_the_document_has_a_row_for_it(fault):
    page = (ROOT / "docs" / "language.md").read_text()
    row = rf"\| {fault.number} \| `{fault.ablation.value}` \| {fault.kind} \|"
    assert len(re.findall(row, page)) == 1


@pytest.mark.parametrize("ablation", [Ablation.GIF_STATE_DTYPE, Ablation.BRIDGE_DTYPE])
def test_a_zone_stops_where_its_part_breaks_the_dtype(ablation):
    zone_in_bfloat16(NONE)
    with pytest.raises(RuntimeError, match="same dtype"):
        zone_in_bfloat16(frozenset({ablation}))


def test_names_become_a_set_and_wrong_ones_are_refused():
    assert ablations_of(["untied_head"]) == frozenset({Ablation.UNTIED_HEAD})
    with pytest.raises(ValueError, match="did you mean 'untied_head'"):
        ablations_of(["untied_heads"])
