"""When the page asks for its next frame: often enough, and just before the screen is drawn."""

import pytest

from tests.browser.one_tab import in_page

# A screen drawn every `a` ms and answers that take `b` ms or, every tenth, twice as long.
RUN = """
const {Cadence} = await import('/assets/js/cadence.mjs');
const cadence = new Cadence(28), early = [], sent = [];
cadence.learn([0, a, 3 * a, 4 * a, 5 * a, 6 * a]);
for (let now = 1000, n = 0; n < 300; n++) {
    now += cadence.wait(now);
    sent.push(now);
    const trip = n % 10 === 9 ? 2 * b : b;
    now += trip;
    cadence.came(trip);
    const drawing = Math.ceil(now / a) * a;
    early.push(drawing - now);
    cadence.drawn(drawing);
}
early.sort((x, y) => x - y);
return {median: early[150], gap: (sent[299] - sent[0]) / 299};
"""


@pytest.mark.parametrize("period", [1000 / 60, 1000 / 144, 1000 / 30])
def test_answers_come_just_before_a_drawing_and_at_a_steady_rate(tab, period):
    found = in_page(tab, RUN, period, 9)
    assert 2 < found["median"] < 4
    assert found["gap"] == pytest.approx(28, rel=0.1)


def test_after_a_long_silence_there_is_no_burst(tab):
    waits = in_page(
        tab,
        """const {Cadence} = await import('/assets/js/cadence.mjs');
           const cadence = new Cadence(28);
           cadence.wait(1000);
           return [60_000, 60_001, 60_002, 60_003].map(now => cadence.wait(now));""",
    )
    assert sum(waits[1:]) > 2 * 28
