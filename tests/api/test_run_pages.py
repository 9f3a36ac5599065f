"""The pages beside the board: what they load, what they tell their scripts, and who may open them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dashboard.pages import catalogue, plain
from dashboard.pages.modules import reachable

ASSETS = Path(__file__).resolve().parents[2] / "assets"
HOST = {"Host": "localhost"}
PAGES = [page.slug for page in catalogue.all_pages()]


def config_of(text):
    """The configuration that the server wrote into a page."""
    return json.loads(re.search(r'id="t4dm-config">(.*?)</script>', text, re.DOTALL)[1])


def test_the_training_page_is_one_of_them():
    assert "training" in PAGES


@pytest.mark.parametrize("slug", PAGES)
def test_a_page_loads_its_own_modules_and_nothing_from_elsewhere(bare, slug):
    text = bare.get(f"/{slug}", headers=HOST).text
    entry = f"js/{slug}/main.mjs"
    assert text.count('type="module"') == 1
    assert f'<script type="module" src="/assets/{entry}"></script>' in text
    modules = re.findall(r'<link rel="modulepreload" href="/assets/([^"]+)">', text)
    assert modules == reachable(ASSETS, entry)
    for style in re.findall(r'<link rel="stylesheet" href="/assets/([^"]+)">', text):
        assert (ASSETS / style).is_file(), style
    assert "plotly" not in text and "dash-renderer" not in text
    for attribute in ('src="http', 'href="http', "//cdn"):
        assert attribute not in text


@pytest.mark.parametrize("slug", PAGES)
def test_a_page_has_its_regions_and_a_section_for_each_panel(bare, slug):
    text = bare.get(f"/{slug}/", headers=HOST).text
    regions = (
        "topbar", "pages", "notices", "board", "controls", "timeline", "strip", "dialogs", "toasts",
    )  # fmt: skip
    for region in regions:
        assert f'id="{region}"' in text
    panels = [panel["slug"] for panel in config_of(text)["panels"]]
    assert re.findall(r'class="panel" data-slug="([^"]+)"', text) == panels


@pytest.mark.parametrize("path", ["/", *(f"/{slug}" for slug in PAGES)])
def test_every_page_lists_all_pages(bare, path):
    links = config_of(bare.get(path, headers=HOST).text)["pages"]
    assert links[0] == {"path": "/", "title": "Spiking"}
    assert [link["path"] for link in links[1:]] == [f"/{slug}" for slug in PAGES]


def test_the_board_loads_no_style_of_another_page(bare):
    assert "css/pages" not in bare.get("/", headers=HOST).text


def test_the_training_page_offers_runs_and_all_faults(bare):
    config = config_of(bare.get("/training", headers=HOST).text)
    assert {run["name"] for run in config["runs"]} >= {"tiny", "read", "memorise"}
    assert [fault["number"] for fault in config["faults"]] == list(range(1, 18))
    assert config["access"] == "full"


@pytest.mark.parametrize("slug", PAGES)
def test_a_page_is_behind_the_door(app, locked_app, slug):
    client = locked_app.test_client()
    asked = HOST | {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
    answer = client.get(f"/{slug}", headers=asked)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/login?next=%2F{slug}"
    assert client.get(f"/{slug}", headers=HOST | {"X-API-Key": "sesame"}).status_code == 200


def test_a_configuration_cannot_end_its_script_element(bare, monkeypatch):
    page = catalogue.Page(
        "training", "T<b>", "training", 1, "js/training/main.mjs", (),
        (catalogue.Section("a", 'x"><script>alert(1)</script>'),), (),
        lambda: {"x": "</script><script>alert(1)</script>"},
    )  # fmt: skip
    routes = plain.blueprint([page], ASSETS, lambda name: name, {"pages": []})
    app = type(bare.application)("other")
    app.register_blueprint(routes)
    with app.test_request_context():
        from flask import g

        g.access, g.by_cookie = "full", False
        text = app.view_functions["pages.training"]().get_data(as_text=True)
    assert text.count("</script>") == 2
    assert "<script>alert" not in text


def test_imports_are_followed_and_a_missing_one_is_told(tmp_path):
    (tmp_path / "a.mjs").write_text(
        'import {\n  one,\n} from "./b/c.mjs";\nexport const x = `from "./nowhere.mjs"`;\n'
    )
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.mjs").write_text('export { two } from "../d.mjs";\nimport "../a.mjs";\n')
    (tmp_path / "d.mjs").write_text("export const two = 2;\n")
    (tmp_path / "unused.mjs").write_text("")
    assert reachable(tmp_path, "a.mjs") == ["a.mjs", "b/c.mjs", "d.mjs"]
    (tmp_path / "d.mjs").unlink()
    with pytest.raises(FileNotFoundError):
        reachable(tmp_path, "a.mjs")
