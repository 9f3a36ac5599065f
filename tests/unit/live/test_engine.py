"""The engine's promises: one seed one hash, bit-for-bit resume, changes that reset nothing."""

import numpy as np
import pytest

from dashboard.figures.weight_matrix import weights_of
from t4dm.live import handlers
from t4dm.live.engine import Engine, StackConfig
from t4dm.live.merge import merge
from t4dm.live.segment import ARRAYS, GATE_EVERY, HIST_EVERY, MATRIX_EVERY, grid
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from t4dm.live.view import View
from t4dm.stimuli.source import SOURCES
from tests.engine_reference import segments

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

CONFIG = StackConfig(2, 32, 4)
CHANGES = {
    130: [("stdp.tau_plus", 10.0)],
    260: [("lif.v_thresh", 0.9), ("inject", ("DA", 0.5))],
    333: [("stdp.mu", 0.5)],
}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def engine(data_dir):
    return Engine(CONFIG, ParamTree(2), 3, data_dir)


def _run(engine, steps, seed=0):
    return list(segments(engine, steps, CHANGES, np.random.default_rng(seed)))


def _same_state(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert np.array_equal(a[name], b[name]), name


def test_any_chunking_gives_the_same_bits(engine, data_dir):
    _run(engine, 600)
    other = Engine(CONFIG, ParamTree(2), 3, data_dir)
    _run(other, 600, seed=1)
    single = Engine(CONFIG, ParamTree(2), 3, data_dir)
    for t in range(600):
        for segment in segments(single, t + 1, CHANGES, np.random.default_rng(0)):
            assert segment.step1 == t + 1
    assert engine.spike_hash() == other.spike_hash() == single.spike_hash()
    _same_state(engine.state(), other.state())
    _same_state(engine.state(), single.state())


def test_another_seed_is_another_run_and_reset_is_the_same_again(engine):
    engine.advance(64)
    first = engine.spike_hash()
    engine.reset(4)
    engine.advance(64)
    assert engine.spike_hash() != first
    engine.reset(3)
    engine.advance(64)
    assert engine.spike_hash() == first and engine.step == 64


def test_reset_keeps_parameters(engine):
    engine.tree.set("lif.v_thresh", 5.0)
    engine.params_changed(["lif.v_thresh"])
    engine.reset(3)
    assert engine.advance(8).theta[0, 0] == 5.0


def test_resume_is_bit_for_bit(engine, data_dir):
    _run(engine, 517)
    saved = engine.state()
    _run(engine, 900)
    tree = ParamTree(2)
    tree.replace(engine.tree.non_default())
    other = Engine(CONFIG, tree, 99, data_dir)
    other.load_state(saved)
    assert other.step == 517 and other.seed == 3
    _run(other, 900, seed=8)
    _same_state(engine.state(), other.state())


def test_a_state_of_another_network_is_refused(engine, data_dir):
    saved = Engine(StackConfig(2, 64, 4), ParamTree(2), 3, data_dir).state()
    before = engine.state()
    with pytest.raises(ValueError, match="does not fit"):
        engine.load_state(saved)
    _same_state(engine.state(), before)


def test_snapshot_rewinds_to_the_exact_step(engine, data_dir):
    engine.advance(40)
    before = engine.snapshot()
    engine.advance(64)
    engine.restore(before)
    engine.advance(23)
    straight = Engine(CONFIG, ParamTree(2), 3, data_dir)
    for n in (40, 23):
        straight.advance(n)
    _same_state(engine.state(), straight.state())


def test_changing_a_parameter_keeps_weights_and_time(engine):
    for _ in range(5):
        engine.advance(64)
    weights, u = engine.recurrent(0), engine.arrays.u.copy()
    for path, value in (("stdp.tau_minus", 5.0), ("stdp.mu", 0.3), ("lif.alpha", 0.5)):
        engine.tree.set(path, value)
        engine.params_changed([path])
        assert engine.step == 320
        np.testing.assert_allclose(engine.recurrent(0), weights, atol=1e-6)
    assert np.array_equal(engine.arrays.u, u)


SINE = {"type": "set", "path": "stimulus.kind", "value": "sine"}


@pytest.mark.parametrize("first", [
    {"type": "set", "path": "stdp.w_max", "value": 0.1},
    {"type": "set", "path": "stimulus.kind", "value": "noise"},
    {"type": "inject", "nt": "DA", "level": 0.3},
    {"type": "reset", "seed": 9},
    {"type": "watch", "neurons": [100]},
])  # fmt: skip
def test_a_list_refused_at_its_end_leaves_no_bit_changed(engine, data_dir, first, monkeypatch):
    monkeypatch.delitem(SOURCES, "sine")
    session, twin = Session("t", engine), Engine(CONFIG, ParamTree(2), 3, data_dir)
    for each in (engine, twin):
        _run(each, 100)
    commands = handlers.parse([first, SINE])
    with pytest.raises(handlers.Refused, match="no stimulus 'sine'"):
        handlers.apply(session, commands, "tab")
    assert session.rev == 0 and not session.log and engine.tree.non_default() == {}
    ours, theirs = engine.advance(64), twin.advance(64)
    assert ours.encode() == theirs.encode()
    _same_state(engine.state(), twin.state())


def test_a_refused_stimulus_lets_the_present_one_go_on(engine, data_dir, monkeypatch):
    monkeypatch.delitem(SOURCES, "sine")
    session, twin = Session("t", engine), Engine(CONFIG, ParamTree(2), 3, data_dir)
    for each in (engine, twin):
        _run(each, 100)
    with pytest.raises(handlers.Refused):
        handlers.apply(session, handlers.parse(SINE), "tab")
    assert engine.advance(64).encode() == twin.advance(64).encode()


def test_theta_stays_above_zero(engine):
    for path, value in (
        ("lif.v_thresh", 0.05), ("homeostasis.learning_rate", 1.0), ("input.gain", 0.0),
    ):  # fmt: skip
        engine.tree.set(path, value)
        engine.params_changed([path])
    lowest = engine.advance(64).theta.min(axis=0)
    assert engine.arrays.theta_h.min() < -0.05
    assert lowest.min() == np.float32(0.01)


def test_looking_at_weights_changes_nothing(engine):
    engine.advance(50)
    before = engine.state()
    engine.recurrent(1)
    _same_state(engine.state(), before)


def test_a_lower_w_max_clips_at_once(engine):
    engine.advance(10)
    engine.tree.set("stdp.w_max", 0.2)
    engine.params_changed(["stdp.w_max"])
    assert engine.recurrent(0)[: engine.n_exc].max() <= np.float32(0.2)


def test_segments_hold_every_array_of_the_contract(engine):
    made = [engine.advance(n) for n in (3, 60, 64, 64, 64, 1)]
    whole = {"T": 0}
    for segment in made:
        t0, t1 = segment.step0, segment.step1
        n, gates, hists = t1 - t0, len(grid(t0, t1, GATE_EVERY)), len(grid(t0, t1, HIST_EVERY))
        shapes = {
            "spk_n": (n,), "spk_id": (int(segment.spk_n.sum()),), "rates": (n, 5),
            "u": (n, len(engine.watch)), "theta": (n, 5), "levels": (n, 4), "gains": (n, 5),
            "gate": (gates, 2, 32), "gate_mean": (gates, 2), "stim": (n, 64), "clamped": (n, 5),
            "stim_range": (n, 3),
            "hist_exc": (hists, 2, 64), "hist_inh": (hists, 2, 64), "bounds": (hists, 2, 2),
            "pairs": (hists, 2, 201), "receptive": (hists, 64, 256),
            "neuron_labels": (hists, 256), "course": (hists, 256, 3),
            "attention": (gates, 2, 64), "attention_keys": (gates, 2),
            "attention_top": (gates, 2), "u_range": (gates, 5, 3), "moved": (hists, 2),
            "matrix": (len(grid(t0, t1, MATRIX_EVERY)), 2, 32, 32),
            "attention_heads": (len(grid(t0, t1, MATRIX_EVERY)), 2, 4, 64, 64),
        }  # fmt: skip
        assert {name: getattr(segment, name).shape for name in ARRAYS} == shapes
        assert segment.rates.sum() == segment.spk_n.sum()
        assert segment.meta["hist_steps"] == grid(t0, t1, HIST_EVERY).tolist()
        for k, ids in enumerate(np.split(segment.spk_id, np.cumsum(segment.spk_n)[:-1])):
            assert (np.diff(ids.astype(int)) > 0).all()
            groups = np.minimum(ids // 32, 4)  # the sensory layer comes last
            assert np.bincount(groups, minlength=5).tolist() == segment.rates[k].tolist()
        again = type(segment).decode(segment.encode())
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(again, name), getattr(segment, name))
        whole["T"] += n
    assert whole["T"] == engine.step == 256
    assert made[0].hist_exc[0].sum() == 2 * engine.n_exc * 31
    assert merge(made).step1 == 256


def test_the_matrix_holds_every_weight_as_it_stood_then(engine):
    """To half a step of its bytes, in the midst of a run that learns; only where it is asked for."""
    made = [engine.advance(50) for _ in range(20)]
    weights = [engine.recurrent(block) for block in range(2)]
    made += [engine.advance(50) for _ in range(10)]
    for block, then in enumerate(weights):
        window = merge(made, View(weights_block=block, weights_view="matrix"))
        assert window.meta["matrix_step"] == MATRIX_EVERY and window.meta["matrix_w_hi"] == 1.0
        shown = weights_of(window.matrix[0], 1.0)
        assert np.abs(shown - then).max() <= 0.5 / 127 + 1e-6
        assert then.min() < -0.9 and then.max() > 0.5
    assert np.abs(engine.recurrent(0) - weights[0]).max() > 1e-3
    assert merge(made).matrix.shape == (0, 0, 0)
    again = merge([segment.crop(900, 1100) for segment in made[18:22]], View(weights_view="matrix"))
    assert again.matrix.shape == (1, 32, 32)


@pytest.mark.parametrize("chunk", [1, 50, 64])
def test_the_heads_of_a_sample_are_those_of_the_steps_before_it(engine, data_dir, chunk):
    """Whatever the chunks: rows sum to 255; mean and mean maximum of the heads are those of each step."""
    engine.advance(50)
    engine.load_state(engine.state())
    made = [engine.advance(50) for _ in range(18)]
    made += [engine.advance(chunk) for _ in range(-(-60 // chunk))]
    made += [engine.advance(64)]
    for block in range(2):
        window = merge(made, View(attention_block=block, attention_view="matrix"))
        assert window.meta["attention_step"] == MATRIX_EVERY
        heads = window.attention_heads[0].astype(int)
        assert heads.shape == (4, 64, 64) and (heads.sum(axis=2) == 255).all()
        rows = {int(t): k for k, t in enumerate(window.gate_steps)}
        tops = np.concatenate([s.attention_top[:, block] for s in made])
        for step in range(MATRIX_EVERY - 60, MATRIX_EVERY + 1, 4):
            query = heads[:, step - MATRIX_EVERY - 1]
            told = window.attention[rows[step]]
            assert np.abs(query.mean(axis=0) - told).max() <= 1.5
            assert query.max(axis=1).mean() / 255 == pytest.approx(tops[rows[step]], abs=1 / 255)
    assert len(np.unique(heads[:, -1], axis=0)) == 4
    assert merge(made).attention_heads.size == 0


def test_queries_before_a_run_or_its_resume_are_blank(engine, data_dir):
    first = engine.advance(5).attention_heads[0]
    assert not first[:, :, :-1].any() and (first[:, :, -1, -1] == 255).all()
    for _ in range(15):
        engine.advance(64)
    other = Engine(CONFIG, ParamTree(2), 3, data_dir)
    other.load_state(engine.state())  # at step 965
    resumed, through = (each.advance(64).attention_heads[0] for each in (other, engine))
    kept = np.arange(64) >= 965 - (MATRIX_EVERY - 63)
    assert not resumed[:, :, ~kept].any() and through.any(axis=(0, 1, 3)).all()
    np.testing.assert_array_equal(resumed[:, :, kept], through[:, :, kept])


def test_watch_follows_its_order(engine, data_dir):
    engine.watch = [100, 3, 64, 3]
    one = engine.advance(20)
    assert one.meta["watch"] == [100, 3, 64, 3]
    other = Engine(CONFIG, ParamTree(2), 3, data_dir)
    other.watch = [3, 64, 100]
    two = other.advance(20)
    np.testing.assert_array_equal(one.u, two.u[:, [2, 0, 1, 0]])
    with pytest.raises(ValueError, match="0 to 383"):
        engine.watch = [384]


def test_injection_and_reward_act_from_the_next_step_and_are_written_down(engine):
    assert engine.advance(5).levels[-1, 0] == 0.5
    event = engine.inject("DA", 0.4)
    assert event["type"] == "inject" and event["step"] == 5
    segment = engine.advance(2)
    assert segment.levels[0, 0] == pytest.approx(0.9)
    assert event in segment.meta["events"]
    reward = engine.reward(-1.0)
    assert (reward["r"], reward["r_hat"], reward["delta"]) == (-1.0, 0.0, -1.0)
    assert engine.advance(1).levels[0, 0] == pytest.approx(0.9 - 0.3, abs=0.01)


@pytest.mark.parametrize(
    ("array", "index", "tensor"),
    [
        ("u", (2, 5), "blocks.1.lif_in.u"),
        ("w_rec", (1, 2, 3), "blocks.1.recurrent.weight"),
        ("wkv_a", (0, 7), "blocks.0.wkv_a"),
    ],
)
def test_a_nan_is_named(engine, array, index, tensor):
    engine.advance(30)
    assert engine.bad is None
    getattr(engine.arrays, array)[index] = np.nan
    segment = engine.advance(16)
    assert engine.bad[0] == tensor and 30 <= engine.bad[1] < 46
    events = [e for e in segment.meta["events"] if e["type"] == "nan"]
    assert [(e["tensor"], e["step"]) for e in events] == [engine.bad]


def test_bad_sizes_and_chunks_are_refused(engine):
    with pytest.raises(ValueError, match="1 to 64"):
        engine.advance(65)
    with pytest.raises(ValueError, match="multiple"):
        StackConfig(2, 30, 4)
    with pytest.raises(ValueError, match="ids"):
        StackConfig(100, 1024)


def test_scales_are_found_once(data_dir):
    Engine(CONFIG, ParamTree(2), 3, data_dir)
    stored = list((data_dir / "calibration").glob("2x32-3-*.json"))
    assert len(stored) == 1
    stored[0].write_text(stored[0].read_text().replace('"c_in": ', '"c_in": 1'))
    moved = Engine(CONFIG, ParamTree(2), 3, data_dir).network.weights.c_in[0]
    stored[0].write_text("torn")
    fresh = Engine(CONFIG, ParamTree(2), 3, data_dir).network.weights.c_in[0]
    assert moved > 9 and fresh < 9


def test_the_histogram_follows_a_raised_w_max(engine):
    def last():
        return [engine.advance(64) for _ in range(5)][-1]

    assert last().meta["w_hi"] == 1.0
    for w_max, w_hi in ((2.0, 2.0), (0.5, 2.0)):
        engine.tree.set("stdp.w_max", w_max)
        engine.params_changed(["stdp.w_max"])
        assert last().meta["w_hi"] == w_hi
    window = merge([engine.advance(64) for _ in range(8)])
    assert window.meta["hist_w_hi"] == [2.0] * len(window.hist_steps) != []
    engine.reset(3)
    assert engine.advance(8).meta["w_hi"] == 0.5


def test_it_says_of_how_many_rows_movement_is_measured(engine):
    told = engine.describe()
    n_exc = told["groups"][0]["n_exc"]
    assert told["constants"]["moved_rows"] == {"n": min(64, n_exc), "total": n_exc}
