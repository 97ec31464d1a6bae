/* Makes pages faster and easier; none needs it. No inline handlers, no eval: the content security policy forbids both. */
"use strict";

(function () {
  function say(words) {
    var live = document.getElementById("live");
    if (live) { live.textContent = words; }
  }

  function dress(root) {
    root.querySelectorAll("[data-copy][hidden]").forEach(function (button) {
      if (navigator.clipboard) { button.hidden = false; }
    });
    var first = root.querySelector("[data-focus]");
    if (first) { first.focus(); }
  }

  /* A third of the weight of a first visit is fetched only by the pages that use it. */
  var htmx = document.currentScript.dataset.htmx;
  function fetchHtmx() {
    if (!document.querySelector("[hx-get], [hx-post]")) { return; }
    var script = document.createElement("script");
    script.src = htmx;
    document.head.append(script);
  }

  document.addEventListener("DOMContentLoaded", function () { dress(document); });
  /* Not before: htmx looks at the page by itself only when it finds it loaded. */
  window.addEventListener("load", fetchHtmx);

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (button) {
      var source = button.parentElement.querySelector("[data-copy-text]");
      navigator.clipboard.writeText(source.textContent.trim()).then(function () {
        button.setAttribute("aria-pressed", "true");
        say(button.dataset.copied || button.textContent.trim() + " ✓");
      });
      return;
    }
    var off = event.target.closest("[aria-disabled=true]");
    if (off) { event.preventDefault(); return; }
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) { menu.open = false; }
    });
    var print = event.target.closest("[data-print]");
    if (print) { window.print(); }
  });

  document.addEventListener("keydown", function (event) {
    var writing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      document.querySelectorAll("details.menu[open]").forEach(function (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      });
      return;
    }
    if (event.key === "/" && !writing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      var search = document.querySelector("[role=search] input:not([type=hidden])");
      if (search) { event.preventDefault(); search.focus(); }
    }
  });

  /* After a part of the page was replaced: focus on its heading, if it asks for that; otherwise focus stays. */
  document.addEventListener("htmx:afterSwap", function (event) { dress(event.detail.target); });
})();
