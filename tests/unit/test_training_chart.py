"""The picture of a run: every number lands where its scale says."""

from xml.etree import ElementTree

import numpy as np
import pytest

from tools.training_chart import LEFT, RIGHT, WIDTH, Box, training_chart

N = 400


@pytest.fixture
def course():
    return {
        "loss": np.linspace(8.0, 4.0, N, dtype=np.float32),
        "grad_norm": np.full(N, 1.0, np.float32),
        "asleep": np.uint8([(s // 20) % 5 == 4 for s in range(N)]),
        "held_out_step": np.int32([200, 400]),
        "held_out_loss": np.float32([6.2, 4.6]),
    }


def elements(svg, name):
    return ElementTree.fromstring(svg).iter(f"{{http://www.w3.org/2000/svg}}{name}")


def test_it_is_xml_and_the_same_each_time(course):
    first, again = (training_chart("a < b", course, {"goal": 3.0}) for _ in range(2))
    assert first == again
    assert "a < b" in [text.text for text in elements(first, "text")]


def test_loss_runs_from_its_first_to_its_last_value(course):
    line = next(elements(training_chart("", course, {"goal": 3.0}), "polyline"))
    points = [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
    box = Box(34, 250, N, 3, 8)
    assert points[0][1] == pytest.approx(box.y(8.0), abs=1.0)
    assert points[-1][1] == pytest.approx(box.y(float(course["loss"][379])), abs=1.5)


def test_sleep_and_held_out_marks_stand_at_their_steps(course):
    svg = training_chart("", course, {"goal": 3.0})
    scale = (WIDTH - LEFT - RIGHT) / N
    bars = [float(bar.get("x")) for bar in list(elements(svg, "rect"))[1:]]
    assert bars == pytest.approx([LEFT + scale * s for s in (80, 180, 280, 380)], abs=0.1)
    spots = [float(spot.get("cx")) for spot in elements(svg, "circle")]
    assert spots == pytest.approx([LEFT + scale * s for s in (200, 400)], abs=0.1)


def test_values_outside_the_scale_are_drawn_at_its_edge():
    box = Box(10, 100, 10, 0.05, 50, log=True)
    assert box.y(1e9) == pytest.approx(10) and box.y(0.0) == pytest.approx(110)


def test_a_step_that_is_not_finite_does_not_break_the_picture(course):
    course["grad_norm"][7] = np.inf
    assert "nan" not in training_chart("", course, {"goal": 3.0}).lower()
