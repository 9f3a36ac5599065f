"""Every numeric field of the page, through every hostile text there is: refused, run untouched."""

import math
import re
from dataclasses import asdict, dataclass

import pytest

from t4dm.params import plain
from tests.browser.one_tab import params, until
from tests.hostile import TEXTS

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
BLANKS = " \t\n\r\v\f\u0085\u200b\u2028\ufeff"
HUGE = ["1e308", "-1e308", "1e21", "-1e21"]
SEED = (0, 2**31 - 1)


@dataclass(frozen=True)
class Field:
    """A box, how it is committed (Enter, or a button), where it answers, and what it may hold."""

    box: str
    told: tuple[str, ...]  # what every refusal says, beside the box where its name stands there
    lo: float
    hi: float
    message: str
    button: str = ""
    whole: bool = False
    nullable: bool = False
    choose: tuple[str, str] = ("", "")  # a select and its value, set before

    def texts(self) -> list[str]:
        """All that this field must refuse."""
        return [text for text in (*TEXTS, *HUGE, *self._beyond()) if not self._takes(text)]

    def _beyond(self) -> list[str]:
        """The numbers next to the range, and a broken one inside where whole ones are asked for."""
        if self.whole:
            middle = (self.lo + self.hi) // 2 + 0.5
            return [str(int(self.lo) - 1), str(int(self.hi) + 1), str(middle)]
        return [repr(math.nextafter(self.lo, -math.inf)), repr(math.nextafter(self.hi, math.inf))]

    def _takes(self, text: str) -> bool:
        text = text.strip(BLANKS)
        if not text:
            return self.nullable
        value = float(text) if NUMBER.fullmatch(text) else math.nan
        return self.lo <= value <= self.hi and not (self.whole and value % 1)


def span(lo: float, hi: float) -> str:
    return f"from {plain(lo)} to {plain(hi)}"


def of_params(specs, path_of=lambda spec: spec["path"]) -> list[Field]:
    """The box of each of these parameters, at the path that it acts on."""
    return [
        Field(
            box=f'[data-param="{path_of(spec)}"]',
            told=(spec["label"] + ": expected ", span(spec["lo"], spec["hi"])),
            lo=spec["lo"], hi=spec["hi"], whole=spec["kind"] == "int", nullable=spec["nullable"],
            message=f'.row:has([data-param="{path_of(spec)}"]) .row-message',
        )
        for spec in specs
    ]  # fmt: skip


def of_breakpoints(neurons: int) -> list[Field]:
    group = '[data-group="breakpoints"]'
    common = {"button": "#break-add", "message": f"{group} .row-message"}
    id_box = {"box": "#break-neuron", "lo": 0, "hi": neurons - 1, "whole": True}
    bounds = {"rate": (0, 1000), "membrane": (-1000, 1000), "weight": (0, 1)}
    made = [
        Field(told=("Neuron id: ", span(0, neurons - 1)), choose=("#break-kind", kind), **id_box, **common)
        for kind in ("spike", "membrane")
    ]  # fmt: skip
    made += [
        Field("#break-bound", ("Bound (", span(*bounds[kind])), *bounds[kind], choose=("#break-kind", kind), **common)
        for kind in bounds
    ]  # fmt: skip
    window = Field("#break-window", ("Over (ms): ", span(1, 10_000)), 1, 10_000, whole=True,
                   choose=("#break-kind", "rate"), **common)  # fmt: skip
    return [*made, window]


def of_amounts() -> list[Field]:
    """Boluses and reward."""
    where = {f'.nt-card[data-nt="{nt}"] .amount': "Inject: " for nt in ("DA", "ACh", "NE", "5HT")}
    where[".reward-bar .amount"] = "Reward: "
    return [
        Field(f"{node} .row-box", (name, span(-1, 1)), -1, 1, f"{node} .row-message", f"{node} button")
        for node, name in where.items()
    ]  # fmt: skip


def of_new_session(limits) -> list[Field]:
    return [
        Field(
            f"#new-{name}", (span(limits[name]["lo"], limits[name]["hi"]),), limits[name]["lo"],
            limits[name]["hi"], f"#new-{name}-message", "#new-create", whole=True,
        )
        for name in ("blocks", "n", "seed")
    ]  # fmt: skip


FEED = """fields => fields.flatMap(({box: selector, texts, told, message, button, choose}) => {
    const wrong = [], box = document.querySelector(selector);
    if (choose[0]) {
        const select = document.querySelector(choose[0]);
        select.value = choose[1];
        select.dispatchEvent(new Event('change', {bubbles: true}));
    }
    const press = key => box.dispatchEvent(
        new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
    const before = box.value;
    for (const text of texts) {
        document.querySelector(message).replaceChildren();  // of the text before
        box.setAttribute('aria-invalid', 'false');
        box.value = text;
        box.dispatchEvent(new Event('input', {bubbles: true}));
        if (button) document.querySelector(button).click(); else press('Enter');
        const said = document.querySelector(message).textContent;
        const marked = box.getAttribute('aria-invalid') === 'true';
        if (!marked || !told.every(part => said.includes(part))) wrong.push([selector, text, said]);
    }
    box.value = before;
    box.dispatchEvent(new Event('input', {bubbles: true}));
    press('Escape');
    return wrong;
})"""
EVERY_BOX = "[...document.querySelectorAll('input[inputmode]')].length"
STEPPED = "step => window.t4dm.app.meta.state === 'running' && window.t4dm.stats().sim_step > step"


@pytest.fixture
def guarded(board):
    """The board; afterwards nothing was sent, the parameters are untouched and the run goes on."""
    rev, step = params(board)["rev"], board.evaluate("window.t4dm.stats().sim_step")
    sent: list[str] = []
    note = lambda r: sent.append(f"{r.method} {r.url}") if r.method not in ("GET", "HEAD") else None
    board.on("request", note)
    yield board
    board.wait_for_timeout(100)  # what was sent late
    board.remove_listener("request", note)
    assert sent == []
    assert params(board)["rev"] == rev and params(board)["non_default"] == {}
    assert board.evaluate("window.t4dm.app.meta.breakpoints.length") == 0
    until(board, STEPPED, step + 20)


def feed(page, fields: list[Field]) -> None:
    """Every hostile text into each of ``fields``; each must name the field and its range."""
    counts = [page.locator(field.box).count() for field in fields]
    assert counts == [1] * len(fields), [
        f.box for f, n in zip(fields, counts, strict=True) if n != 1
    ]
    given = [asdict(field) | {"texts": field.texts()} for field in fields]
    assert all(len(one["texts"]) > 80 for one in given)
    assert page.evaluate(FEED, given) == []


def test_every_box_refuses_every_hostile_text(guarded):
    """All boxes that stand on the board; a new one that is not walked here fails the count."""
    told = params(guarded)
    numeric = [spec for spec in told["specs"] if spec["kind"] in ("float", "int")]
    neurons = guarded.evaluate("window.t4dm.app.manifest.groups.reduce((sum, {n}) => sum + n, 0)")
    stage = '.panel[data-slug="membrane"] [data-membrane="number"]'
    fields = [
        *of_params(numeric), *of_breakpoints(neurons), *of_amounts(),
        Field("#seed", ("Seed: ", span(*SEED)), *SEED, ".bar-message", whole=True),
        Field(stage, ("Neuron of block 0 LIF in: ", span(0, 255)), 0, 255, "#toasts", whole=True),
    ]  # fmt: skip
    assert {spec["path"] for spec in numeric} > {"lif.v_thresh", "stdp.tau_plus", "neuromod.DA"}
    feed(guarded, fields)
    assert len({field.box for field in fields}) == guarded.evaluate(EVERY_BOX)


def test_the_boxes_of_an_override_do_too(guarded):
    group = guarded.locator('.group[data-group="lif"]')
    select = group.locator(".scope-select")
    select.evaluate(
        """select => {
            select.value = [...select.options].at(-1).value;
            select.dispatchEvent(new Event('change'));
        }"""
    )
    scope = group.locator("[data-param]").first.get_attribute("data-param").rpartition(".")[0]
    assert scope == "blocks.5.lif_out"
    specs = [s for s in params(guarded)["specs"] if s["group"] == "lif" and s["kind"] == "float"]
    feed(guarded, of_params(specs, lambda spec: f"{scope}.{spec['name']}"))


def test_the_boxes_of_a_new_session_do_too(guarded):
    guarded.locator("#open-sessions").click()
    until(guarded, "() => Boolean(document.querySelector('#new-session'))")
    feed(guarded, of_new_session(guarded.evaluate("window.t4dm.app.config.new_session.limits")))
