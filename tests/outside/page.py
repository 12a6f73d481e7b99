"""Holds pages to what a browser makes of them. Arguments: a folder for pictures, or - for none; then files.

Needs Chromium, and playwright and axe-playwright-python beside the Python that runs it. Each page must ask for nothing, say
nothing on the console, run no script but its own, pass axe in light and in dark, fit a phone and a desk, work by keyboard
and without script, and print on two pages where it says so by its name (`…-two-pages.html`).
"""
import pathlib
import re
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
# Both schemes and both widths; a layout does not depend on a colour.
LOOKS = (("light", 1280, 900), ("dark", 390, 844))
pictures = None if sys.argv[1] == "-" else pathlib.Path(sys.argv[1])
wrong = []


def check(condition, page, what):
    if not condition:
        wrong.append(f"{page}: {what}")


def pages_of(pdf):
    return max(int(count) for count in re.findall(rb"/Count (\d+)", pdf))


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    for path in map(pathlib.Path, sys.argv[2:]):
        url = path.resolve().as_uri()
        for scheme, width, height in LOOKS:
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = context.new_page()
            said, asked = [], []
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
            page.on("request", lambda request: asked.append(request.url))
            page.goto(url)
            name = f"{path.name} {scheme} {width}"
            if pictures:
                page.screenshot(path=pictures / f"{path.stem}-{scheme}-{width}.png", full_page=True)
            wide = page.evaluate("document.documentElement.scrollWidth")
            check(wide <= width, name, f"is {wide} wide")
            for details in page.query_selector_all("details"):
                details.evaluate("one => one.open = true")
            wide = page.evaluate("document.documentElement.scrollWidth")
            check(wide <= width, name, f"is {wide} wide when all is open")
            if pictures:
                page.screenshot(path=pictures / f"{path.stem}-{scheme}-{width}-open.png", full_page=True)
            results = Axe().run(page)
            for violation in results.response["violations"]:
                nodes = [node["html"][:120] for node in violation["nodes"][:3]]
                check(False, name, f"axe: {violation['id']}: {violation['help']}: {nodes}")
            check(asked == [url], name, f"asked for {asked[1:]}")
            check(not said, name, f"said {said}")
            levels = [int(level[1]) for level in page.evaluate(
                "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(one => one.tagName)")]
            jumps = [pair for pair in zip(levels, levels[1:]) if pair[1] > pair[0] + 1]
            check(levels[:1] == [1] and not jumps and levels.count(1) == 1, name, f"headings {levels}")
            scripts = page.evaluate("document.scripts.length")
            check(scripts == 1, name, f"{scripts} scripts")
            check(page.evaluate("document.images.length") == 0, name, "an image")
            strange = page.evaluate("[...document.querySelectorAll('*')].filter(one => [...one.attributes]"
                                    ".some(a => a.name.startsWith('on') || /^\\s*javascript:/i.test(a.value))).length")
            check(strange == 0, name, "an attribute that acts")
            context.close()
        # By keyboard, with a clipboard.
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.goto(url)
        page.keyboard.press("Tab")
        check(page.evaluate("document.activeElement.className") == "skip", path.name, "the first stop is no way to the report")
        if page.query_selector("summary"):
            page.keyboard.press("Tab")
            check(page.evaluate("document.activeElement.tagName") == "SUMMARY", path.name, "the second stop is no finding")
            page.keyboard.press("Enter")
            check(page.evaluate("document.activeElement.parentElement.open"), path.name, "a finding does not open by Enter")
            button = page.query_selector("details[open] button[data-copy]")
            if button:
                button.click()
                copied = page.evaluate("navigator.clipboard.readText()")
                check(copied == button.get_attribute("data-copy"), path.name, f"copied {copied!r}")
                check(button.inner_text() == "Copied", path.name, "a copy is not told")
        pdf = page.pdf(prefer_css_page_size=True, format="A4", path=pictures / f"{path.stem}.pdf" if pictures else None)
        count = pages_of(pdf)
        print(f"{path.name}: {count} printed pages, {path.stat().st_size} bytes")
        check(count <= 2 or "two-pages" not in path.stem, path.name, f"prints on {count} pages")
        context.close()
        # Without script it is whole, and shows no button that does nothing.
        context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(url)
        check(page.locator("h1").first.is_visible(), path.name, "nothing without script")
        check(page.locator("button:visible").count() == 0, path.name, "buttons without script")
        context.close()
    browser.close()
print("\n".join(wrong))
sys.exit(1 if wrong else 0)
