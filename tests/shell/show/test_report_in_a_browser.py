from __future__ import annotations

import asyncio

import pytest

from algotrade.show.report import write_report
from tests.shell.show.browser import CHROMIUM, Browser
from tests.shell.show.samples import make_run

pytest.importorskip("bokeh")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")

PANELS = "[...(Bokeh.documents[0]?._all_models.values() ?? [])].filter(model => model.type == 'Figure')"
RANGES = f"{PANELS}.map(panel => [panel.x_range.start, panel.x_range.end, panel.y_range.start, panel.y_range.end])"
DRAWN = "typeof Bokeh != 'undefined' && Bokeh.documents.length > 0 && Bokeh.documents[0].is_idle"
PAINTED = """(() => {
  let painted = 0;
  const walk = root => { for (const element of root.querySelectorAll('*')) {
    if (element.shadowRoot) walk(element.shadowRoot);
    if (element.tagName != 'CANVAS' || !element.width) continue;
    const pixels = element.getContext('2d').getImageData(0, 0, element.width, element.height).data;
    if (pixels.some(value => value)) painted += 1;
  } };
  walk(document);
  return painted;
})()"""


MIDDLE_OF_THE_PRICE = """(() => {
  const box = document.querySelector('.bk-GridPlot, [class*=bk]').getBoundingClientRect();
  return [box.left + box.width / 2, box.top + 150];
})()"""


async def test_the_page_draws_without_network_or_errors_and_zooms(tmp_path):
    run = make_run()
    path = tmp_path / "report.html"
    write_report(run.result, run.document, path)
    async with asyncio.timeout(60), Browser() as browser:
        await browser.call("Page.navigate", url=path.as_uri())
        await browser.until(DRAWN)
        assert await browser.value(f"{PANELS}.length") == 4  # price, the oscillator, equity, drawdown
        assert await browser.value(PAINTED) >= 4
        await _the_wheel_zooms_all_panels(browser)
        assert _complaints(browser) == []
        assert _requests(browser) <= {"file", "data", "blob"}


async def _the_wheel_zooms_all_panels(browser: Browser) -> None:
    before = await browser.value(RANGES)
    x, y = await browser.value(MIDDLE_OF_THE_PRICE)
    for _ in range(8):
        await browser.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-200)
    await browser.until(f"JSON.stringify({RANGES}) != {str(before)!r} && {PANELS}[0].x_range.start > {before[0][0]}")
    await asyncio.sleep(0.5)  # the last turn of the wheel is drawn
    after = await browser.value(RANGES)
    assert len({tuple(panel[:2]) for panel in after}) == 1
    heights = [(then[3] - then[2], now[3] - now[2]) for then, now in zip(before, after, strict=True)]
    assert heights[0][1] < 0.8 * heights[0][0]
    assert heights[2][1] < 0.8 * heights[2][0]


def _complaints(browser: Browser) -> list[str]:
    """Errors and warnings of the console, exceptions, and refusals of the content policy."""
    found = []
    for event in browser.events:
        details = event["params"]
        match event["method"]:
            case "Runtime.exceptionThrown" | "Log.entryAdded":
                found.append(str(details))
            case "Runtime.consoleAPICalled" if details["type"] in ("error", "warning", "assert"):
                found.append(str(details["args"]))
    return found


def _requests(browser: Browser) -> set[str]:
    urls = [
        event["params"]["request"]["url"] for event in browser.events if event["method"] == "Network.requestWillBeSent"
    ]
    return {url.split(":", 1)[0] for url in urls}
