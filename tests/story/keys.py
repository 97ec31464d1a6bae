"""Somebody who has no mouse: every act is a key, and at each stop the focus can be seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import FileChooser, Page
from playwright.sync_api import TimeoutError as NotInTime

MOST_STOPS = 250
# What stands at the focus: whether it is the one that is looked for, and whether a person could see that he is there.
_STOP = """selector => {
  const here = document.activeElement;
  if (!here || here === document.body) { return null; }
  const style = getComputedStyle(here), box = here.getBoundingClientRect(), faults = [];
  if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) { faults.push('no outline'); }
  if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) {
    faults.push('off the screen');
  }
  for (const bar of document.querySelectorAll('.decide')) {
    const edge = bar.getBoundingClientRect();
    const across = box.right > edge.left + 1 && box.left < edge.right;
    if (across && !bar.contains(here) && box.height < 200 && box.bottom > edge.top + 1 && box.top < edge.bottom) {
      faults.push('under the decision bar');
    }
  }
  return {match: here.matches(selector), faults: faults, what: here.outerHTML.slice(0, 160)};
}"""


class Keys:
    """The keys that somebody presses on one page after another."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.stops = 0

    def reach(self, selector: str, *, back: bool = False) -> None:
        """Press Tab (or Shift+Tab) until the focus is on what `selector` names."""
        for _ in range(MOST_STOPS):
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
            stop = self.page.evaluate(_STOP, selector)
            if stop is None:
                continue
            self.stops += 1
            self.faults += [f"{fault}: {stop['what']} on {self.page.url}" for fault in stop["faults"]]
            if stop["match"]:
                return
        raise AssertionError(f"no key leads to {selector} on {self.page.url}")

    def write(self, selector: str, text: str) -> None:
        """Go to a field and type over what stands in it."""
        self.reach(selector)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def tick(self, name: str) -> None:
        """Set a tick with the space bar."""
        self.reach(f"input[type=checkbox][name={name}]")
        self.page.keyboard.press("Space")
        assert self._checked(f"input[name={name}]")

    def tick_value(self, name: str, value: str) -> None:
        """Set one of several ticks of the same name."""
        chosen = f"input[type=checkbox][name={name}][value='{value}']"
        self.reach(chosen)
        # What the reviewer recommended stands there already for the one who decides.
        if not self._checked(chosen):
            self.page.keyboard.press("Space")
        assert self._checked(chosen)

    def choose(self, name: str, value: str) -> None:
        """Choose one of several: Tab to the group, the space bar for its first, arrows for the others."""
        self.reach(f"input[type=radio][name={name}]")
        self.page.keyboard.press("Space")
        for _ in range(20):
            if self._checked(f"input[name={name}][value='{value}']"):
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"no arrow leads to {name}={value}")

    def select(self, selector: str, value: str) -> None:
        """Choose from a list with the arrows."""
        self.reach(selector)
        for _ in range(60):
            if self.page.evaluate("() => document.activeElement.value") == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"no arrow leads to {value} in {selector}")

    def attach(self, selector: str, file: Path) -> None:
        """Open the dialogue of the system with the space bar and choose a file there."""
        self.reach(selector)
        self._dialogue().set_files(str(file))

    def _dialogue(self) -> FileChooser:
        # A browser that is still busy with the page before drops the key now and then; whoever sees no dialogue presses
        # it once more.
        for patience in (5_000, 10_000):
            try:
                with self.page.expect_file_chooser(timeout=patience) as chooser:
                    self.page.keyboard.press("Space")
                return chooser.value
            except NotInTime:
                continue
        raise AssertionError(f"the space bar opens no dialogue on {self.page.url}")

    def press(self, selector: str, *, key: str = "Enter") -> None:
        """Go to a link or button, use it, and wait for the page that follows."""
        self.reach(selector)
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def enter(self) -> None:
        """Send the form from the field that has the focus."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def _checked(self, selector: str) -> Any:
        return self.page.evaluate("selector => document.querySelector(selector)?.checked ?? false", selector)
