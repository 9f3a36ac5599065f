"""docs/training.md and its pictures are what the result files say."""

from tools import write_training_docs as docs


def test_the_page_is_up_to_date():
    assert docs.PAGE.read_text() == docs.training_page(), "run make docs"


def test_the_pictures_are_up_to_date():
    for name, svg in docs.charts().items():
        assert (docs.IMAGES / name).read_text() == svg, f"{name}: run make docs"


def test_what_was_not_measured_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(docs, "RESULTS", tmp_path)
    assert docs.training_page().count("Not measured yet.") == 6
    assert docs.charts() == {}
