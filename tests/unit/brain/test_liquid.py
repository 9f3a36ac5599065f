"""Liquid cell, router and mixture of experts."""

import pytest
import torch

from t4dm.brain.liquid import LiquidCell, liquid_step
from t4dm.brain.liquid_moe import LiquidMoE, LiquidMoERouter


def test_a_step_is_the_fused_solver(x, draws):
    cell = LiquidCell(16, 8, generator=draws)
    h = torch.rand(2, 8)
    f = torch.sigmoid(cell.w_x(x[:, 0]) + cell.w_h(h))
    expected = (h + f * cell.a) / (1 + 1 / cell.tau + f)
    torch.testing.assert_close(cell(x[:, 0], h)[0], expected)


def test_small_steps_solve_the_equation(draws):
    """dh/dt = -(1/tau + f) h + f A by Runge-Kutta; the error of the step falls with dt (first order)."""
    cell, x = LiquidCell(16, 8, generator=draws).double(), torch.randn(1, 16, generator=draws)
    x = x.double()

    def f(h):
        return torch.sigmoid(cell.w_x(x) + cell.w_h(h))

    def slope(h):
        return -(1 / cell.tau + f(h)) * h + f(h) * cell.a

    def solved(steps, ms=3.0):
        h, dt = torch.zeros(1, 8, dtype=torch.float64), ms / steps
        for _ in range(steps):
            h = liquid_step(h, f(h), cell.a, cell.tau, dt)
        return h

    exact, dt = torch.zeros(1, 8, dtype=torch.float64), 3.0 / 300
    for _ in range(300):
        first = slope(exact)
        second = slope(exact + dt / 2 * first)
        third = slope(exact + dt / 2 * second)
        fourth = slope(exact + dt * third)
        exact = exact + dt / 6 * (first + 2 * second + 2 * third + fourth)
    coarse, fine = ((solved(n) - exact).abs().max().item() for n in (30, 300))
    assert fine < 2e-3 and 8 < coarse / fine < 12


def test_it_rests_where_the_equation_rests(draws):
    """A constant input ends at h = f A / (1/tau + f), whatever the length of a step."""
    cell, x = LiquidCell(16, 8, generator=draws), torch.randn(1, 16, generator=draws)
    h = cell.run(x.expand(1, 400, 16))[1]
    f = torch.sigmoid(cell.w_x(x) + cell.w_h(h))
    torch.testing.assert_close(h, f * cell.a / (1 / cell.tau + f))


def test_time_constants_start_in_their_range(draws):
    tau = LiquidCell(16, 400, generator=draws).tau
    assert tau.min() >= 0.99 and tau.max() <= 20.01 and tau.max() / tau.min() > 10


def test_states_stay_between_zero_and_their_reversal(x, draws):
    cell = LiquidCell(16, 8, generator=draws)
    h, _ = cell.run(x.repeat(1, 40, 1) * 10)
    assert (h * cell.a.sign() >= 0).all() and (h.abs() <= cell.a.abs()).all()


def test_a_longer_time_constant_keeps_more(draws):
    cell = LiquidCell(16, 8, generator=draws)
    h, quiet = torch.ones(1, 8), torch.zeros(1, 16)
    slow, fast = torch.full((8,), 20.0), torch.full((8,), 1.0)
    kept = []
    for tau in (slow, fast):
        with torch.no_grad():
            cell.raw_tau.copy_(torch.log(torch.expm1(tau - 0.1)))
            cell.a.zero_()
            kept.append(cell(quiet, h)[0].mean().item())
    assert kept[0] > kept[1]


def test_the_dynamics_get_gradient(x, draws):
    cell = LiquidCell(16, 8, generator=draws)
    cell.run(x)[0].square().sum().backward()
    for name in ("raw_tau", "a"):
        assert getattr(cell, name).grad.abs().max() > 0, name
    assert cell.w_h.weight.grad.abs().max() > 0


def test_a_text_cut_in_two_gives_the_same_states(x, draws):
    cell = LiquidCell(16, 8, generator=draws)
    whole, _ = cell.run(x)
    first, h = cell.run(x[:, :4])
    torch.testing.assert_close(torch.cat([first, cell.run(x[:, 4:], h)[0]], 1), whole)


@pytest.mark.parametrize(("n_experts", "top_k", "k"), [(4, 2, 2), (3, 8, 3), (1, 1, 1)])
def test_as_many_experts_as_there_are_and_weights_sum_to_one(x, draws, n_experts, top_k, k):
    routing = LiquidMoERouter(16, n_experts, top_k, generator=draws)(x)
    assert routing.weights.shape == routing.chosen.shape == (2, 6, k)
    torch.testing.assert_close(routing.weights.sum(-1), torch.ones(2, 6))
    assert routing.load.sum().item() == pytest.approx(1.0)
    assert (routing.chosen.sort(-1).values.diff(dim=-1) > 0).all()


def test_balance_is_one_when_even_and_more_when_not(x, draws):
    router = LiquidMoERouter(16, 4, 1, generator=draws)
    with torch.no_grad():
        router.score.weight.zero_()
        router.score.bias.copy_(torch.tensor([9.0, 0, 0, 0]))
    assert router(x).balance.item() == pytest.approx(4.0, rel=0.01)
    with torch.no_grad():
        router.score.bias.zero_()
    assert router(x).balance.item() == pytest.approx(1.0)


def test_the_balance_loss_spreads_a_collapsed_load(draws):
    """An expert that takes everything gives way, and the time constants of the router move too."""
    x = torch.randn(4, 20, 16, generator=draws)
    router = LiquidMoERouter(16, 4, 1, generator=draws)
    with torch.no_grad():
        router.score.bias[0] = 3.0
    tau, before = router.cell.tau.clone(), router(x).load.max().item()
    optimizer = torch.optim.Adam(router.parameters(), lr=0.01)
    for _ in range(80):
        optimizer.zero_grad()
        router(x).balance.backward()
        optimizer.step()
    assert before > 0.9 and router(x).load.max().item() < 0.4
    assert (router.cell.tau - tau).abs().max() > 1e-3


def test_only_the_chosen_experts_answer(x, draws):
    moe = LiquidMoE(16, 4, 1, generator=draws)
    out, routing = moe(x)
    for b in range(2):
        for t in range(6):
            expected = moe.experts[int(routing.chosen[b, t, 0])](x[b, t])
            torch.testing.assert_close(out[b, t], expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dtype_and_device_are_kept(x, draws, dtype):
    moe = LiquidMoE(16, 4, 2, generator=draws).to(dtype)
    out, routing = moe(x.to(dtype))
    assert out.dtype == routing.state.dtype == routing.balance.dtype == dtype
    out, _ = moe.to("meta")(x.to("meta", dtype))
    assert out.device.type == "meta"
