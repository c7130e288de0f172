"""The pages in a headless browser, wide and narrow, light and dark: nothing fails to load, all of it can be read."""

import pytest
from canned_run import write_build, write_results, write_routed, write_training, write_virtual_board

from xnorflow.flow.comparison_page import render_comparison
from xnorflow.flow.folders import Folders
from xnorflow.flow.report import render_page
from xnorflow.flow.results import load_results

PARTS = (write_training, write_build, write_results, write_routed, write_virtual_board)
SHOWN = (
    "[...document.querySelectorAll('figure svg')].filter((one) => one.checkVisibility()).map((one) => one.classList[0])"
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """report.html of one run, comparison.html of three, one of them with a training only."""
    folder = tmp_path_factory.mktemp("pages")
    runs = []
    for name, parts in (("a_first_one", PARTS), ("second", PARTS[:3]), ("the_third", PARTS[:1])):
        (folder / name / "build" / "report").mkdir(parents=True)
        for part in parts:
            part(folder / name)
        runs.append(load_results(Folders.find(folder / name)))
    found = {"report": render_page(runs[0]), "comparison": render_comparison(runs, [run.name for run in runs])}
    for name, text in found.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 768, 400])
@pytest.mark.parametrize(("name", "figures"), [("report", 5), ("comparison", 5)])
def test_a_page_can_be_read(browser, pages, name, figures, width, dark):
    with browser.page(pages / f"{name}.html", width, dark=dark) as page:
        assert page.complaints == []
        assert page.requests == [(pages / f"{name}.html").as_uri()]
        assert page.problems() == []
        assert page.driver.evaluate(SHOWN) == ["wide" if width > 768 else "narrow"] * figures


def test_tables_scroll_in_their_own_box(browser, pages):
    with browser.page(pages / "comparison.html", 400) as page:
        wider = "(box => [box.scrollWidth > box.clientWidth, box.tabIndex])(document.querySelector('.scroll'))"
        assert page.driver.evaluate(wider) == [True, 0]
        assert page.overflow() <= 0


PAGE = "<!DOCTYPE html><meta name=viewport content='width=device-width'><body style='background: white; color: #222'>{}"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("<p style='width: 900px'>wide", "page 908 wide"),
        ("<p style='font-size: 9px'>small", '<p> "small" has 9.0 px'),
        ("<svg viewBox='0 0 800 100' width='200'><text y='50' font-size='20'>s</text></svg>", '<text> "s" has 5.0 px'),
        ("<p style='color: #aaa'>faint", '<p> "faint" has contrast 2.32'),
        ("<figure><svg width='0' height='0'></svg></figure>", "empty svg"),
    ],
)
def test_what_is_wrong_is_found(browser, tmp_path, content, problem):
    path = tmp_path / "page.html"
    path.write_text(PAGE.format(content), encoding="utf-8")
    with browser.page(path, 400) as page:
        assert problem in page.problems()


def test_what_fails_is_found(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(
        PAGE.format("<img src='none.png'><script>console.error('no'); nothing()</script>"), encoding="utf-8"
    )
    with browser.page(path, 400) as page:
        complaints = " ".join(page.complaints)
        assert "error: no" in complaints and "nothing is not defined" in complaints and "none.png" in complaints
