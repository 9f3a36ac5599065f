"""The model: wiring, trace, causality, padding, gradient, types."""

from dataclasses import replace

import pytest
import torch

from t4dm.qwen.unified_model import UnifiedModel


def traced(model, *args, **options):
    with torch.no_grad():
        return model(*args, return_spike_trace=True, **options)


def test_without_the_spiking_share_it_is_the_language_model_itself(make_model, ids):
    from transformers import Qwen2ForCausalLM

    model = make_model(dtype=torch.float64)
    plain = Qwen2ForCausalLM.from_pretrained(model.folder, dtype=torch.float64)
    ours, theirs = traced(model, ids).logits, plain(ids).logits
    assert (ours - theirs).abs().max() > 0.01
    model.mix = 1e-12
    torch.testing.assert_close(traced(model, ids).logits, theirs, atol=1e-5, rtol=0)


def test_trace_holds_every_block_with_its_shapes(wide_model, ids):
    trace = traced(wide_model, ids).spike_trace
    assert list(trace) == ["block 0", "block 1"]
    for block in trace.values():
        shapes = {name: tuple(value.shape) for name, value in block.items()}
        assert shapes == {
            "spikes": (2, 24, 64), "membrane": (2, 24, 64), "gate": (2, 24, 32),
            "attention": (2, 4, 24, 24), "rate": (),
        }  # fmt: skip
        assert set(block["spikes"].unique().tolist()) == {0.0, 1.0}
        assert torch.equal(block["spikes"] == 1, block["membrane"] >= 1.0)
        assert block["rate"] == block["spikes"].mean()
        assert block["gate"].min() > 0 and block["gate"].max() < 1.5
        rows = block["attention"].sum(-1)
        torch.testing.assert_close(rows, torch.ones_like(rows))
        assert block["attention"].triu(1).abs().max() == 0


def test_every_stage_fires_in_its_band_on_long_random_text(wide_model):
    text = torch.randint(1000, (1, 200), generator=torch.Generator().manual_seed(8))
    for block in traced(wide_model, text).spike_trace.values():
        for stage in block["spikes"].split(32, dim=-1):
            assert 0.02 < stage.mean() < 0.25


def test_no_token_is_seen_before_its_time(wide_model, ids):
    other = ids.clone()
    other[:, 15] += 1
    first, second = traced(wide_model, ids), traced(wide_model, other)
    assert torch.equal(first.logits[:, :15], second.logits[:, :15])
    assert not torch.equal(first.logits[:, 15], second.logits[:, 15])
    for a, b in zip(first.spike_trace.values(), second.spike_trace.values(), strict=True):
        assert torch.equal(a["spikes"][:, :15], b["spikes"][:, :15])
        assert torch.equal(a["attention"][:, :, :15], b["attention"][:, :, :15])


def same_state(first, second):
    for a, b in zip(first, second, strict=True):
        if isinstance(a, torch.Tensor):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=0)
        else:
            same_state(a, b)


@pytest.mark.parametrize(
    "at", [range(5), range(24, 29), range(10, 15), [0, 1, 26, 27, 28]],
    ids=["left", "right", "inside", "both"],
)  # fmt: skip
def test_padding_changes_nothing_but_its_own_place(wide_model, ids, at):
    mask = torch.ones(2, 29, dtype=torch.long)
    mask[0, list(at)] = 0
    real = mask[0].nonzero()[:, 0]
    padded = torch.zeros(2, 29, dtype=torch.long)
    padded[0, real] = ids[0]
    padded[1] = torch.cat([ids[1], ids[0, :5]])
    out = traced(wide_model, padded, attention_mask=mask, use_cache=True)
    alone = traced(wide_model, ids[:1], use_cache=True)
    assert out.logits.isfinite().all()
    torch.testing.assert_close(out.logits[:1, real], alone.logits, atol=1e-4, rtol=0)
    for name, block in out.spike_trace.items():
        one = alone.spike_trace[name]
        assert torch.equal(block["spikes"][:1, real], one["spikes"])
        assert block["spikes"][0, mask[0] == 0].abs().sum() == 0
        seen = block["attention"][:1, :, real][..., real]
        torch.testing.assert_close(seen, one["attention"], atol=1e-5, rtol=0)
        assert block["rate"] == block["spikes"].sum() / (mask.sum() * 64)
    for ours, theirs in zip(out.past.core, alone.past.core, strict=True):
        same_state([row_of(part) for part in flat(ours)], [row_of(part) for part in flat(theirs)])


def flat(state):
    return [p for part in state for p in (flat(part) if isinstance(part, tuple) else [part])]


def row_of(part):
    return part[0]


def test_padding_keeps_the_gradient_finite(make_model, ids):
    model = make_model()
    mask = torch.ones_like(ids)
    mask[0, :7] = 0
    model(ids, mask, labels=ids).loss.backward()
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    assert len(grads) > 50
    assert all(g.isfinite().all() for g in grads)


def test_labels_on_padding_do_not_count(wide_model, ids):
    mask = torch.ones_like(ids)
    mask[:, 20:] = 0
    other = ids.clone()
    other[:, 20:] = 1
    with torch.no_grad():
        first = wide_model(ids, mask, labels=ids).loss
        second = wide_model(other, mask, labels=other).loss
        short = wide_model(ids[:, :20], labels=ids[:, :20]).loss
    assert first == second
    torch.testing.assert_close(first, short, atol=1e-6, rtol=0)


def test_gradient_reaches_the_encoder_through_the_spikes_only(make_model, ids, monkeypatch):
    model = make_model()
    model(ids, labels=ids).loss.backward()
    assert model.core.encoder.weight.grad.abs().max() > 0
    for block in model.spiking_blocks:
        assert block.recurrent.weight.grad.abs().max() > 0
    monkeypatch.setattr(
        "t4dm.spiking.lif.spike", lambda x, kind, slope: (x >= 0).to(x.dtype).detach()
    )
    model.zero_grad()
    model(ids, labels=ids).loss.backward()
    grad = model.core.encoder.weight.grad
    assert grad is None or grad.abs().max() == 0


def test_settings_reach_the_neurons(wide_model, ids):
    s = wide_model.settings
    quiet = traced(wide_model, ids, settings=replace(s, v_thresh=s.v_thresh * 0 + 50.0))
    assert all(block["rate"] == 0 for block in quiet.spike_trace.values())
    open_ = traced(wide_model, ids, settings=replace(s, ach=1.0)).spike_trace["block 0"]["gate"]
    assert open_.mean() > 1.4 * traced(wide_model, ids).spike_trace["block 0"]["gate"].mean()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_dtype_is_kept(make_model, ids, dtype):
    model = make_model(dtype=dtype)
    assert {p.dtype for p in model.parameters()} == {dtype}
    out = traced(model, ids, use_cache=True)
    assert out.logits.dtype == dtype
    assert out.logits.isfinite().all()
    for block, state in zip(out.spike_trace.values(), out.past.core, strict=True):
        assert block["spikes"].sum() > 0
        assert block["membrane"].dtype == block["gate"].dtype == state.u_in.dtype == dtype


def test_device_is_kept(make_model):
    """The middle makes its state where its weights are; "meta" stands for any other device."""
    model = make_model()
    core = model.core.to("meta")
    h = torch.zeros(2, 5, 32, device="meta")
    mask = torch.ones(2, 5, dtype=torch.bool, device="meta")
    mixed, state, traces = core(h, None, model.settings, mask, traced=True)
    assert mixed.device.type == traces[1]["attention"].device.type == "meta"
    assert all(part.device.type == "meta" for block in state for part in flat(block))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"split": 4}, "split: expected 1 to 3, got 4"),
        ({"n_blocks": 0}, "n_blocks: expected 1 or more"),
        ({"n": 30}, "n: expected at least 5 and a multiple of n_heads = 4, got 30"),
        ({"mix": 1.0}, "mix: expected a share between 0 and 1"),
    ],
)
def test_bad_shapes_are_named(make_model, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        make_model(**options)


def test_masks_of_a_wrong_shape_are_named(wide_model, ids):
    with pytest.raises(ValueError, match=r"attention_mask: expected \(2, 24\)"):
        wide_model(ids, torch.ones(2, 23))
    past = traced(wide_model, ids, use_cache=True).past
    with pytest.raises(ValueError, match="past: expected 1 sequences, got 2"):
        wide_model(ids[:1], past=past)


def test_a_seed_fixes_the_middle_and_the_global_generator_is_left_alone(make_model, ids):
    torch.manual_seed(5)
    first = make_model(seed=1)
    after = torch.rand(3)
    second, other = make_model(seed=1), make_model(seed=2)
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(3))
    assert torch.equal(traced(first, ids).logits, traced(second, ids).logits)
    assert not torch.equal(traced(first, ids).logits, traced(other, ids).logits)


def test_a_saved_model_refuses_another_shape(make_model, tmp_path):
    make_model().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="n_blocks: this model was saved with 2, got 3"):
        UnifiedModel(str(tmp_path), n_blocks=3)
