// Keys in the rows of a log: j and k go to the next row and the one before, the arrows too once a row has the focus,
// Enter opens it (it is a link), r presses its button, Escape leaves it.
"use strict";
(() => {
  const LINK = "[data-row-link]";
  const STEP = { j: 1, k: -1 };
  const ARROW = { ArrowDown: 1, ArrowUp: -1 };

  const rests = (event) =>
    document.body?.dataset.shortcuts === "off" || event.defaultPrevented || event.isComposing ||
    event.ctrlKey || event.altKey || event.metaKey ||
    event.target.closest?.("input, textarea, select, [contenteditable]") ||
    document.querySelector("dialog[open], details.menu[open]");

  function move(from, step) {
    const links = [...document.querySelectorAll(LINK)];
    const at = from ? links.indexOf(from.querySelector(LINK)) : step > 0 ? -1 : links.length;
    const next = links[at + step];
    next?.focus();
    next?.closest("tr").scrollIntoView({ block: "nearest" });
    return Boolean(next);
  }

  function retry(row) {
    const button = row?.querySelector('form[action$="/redeliveries"] button');
    button?.click();
    return Boolean(button);
  }

  document.addEventListener("keydown", (event) => {
    if (rests(event)) return;
    const row = event.target.closest?.("tr:has([data-row-link])");
    const step = STEP[event.key] ?? (row && ARROW[event.key]);
    const isDone =
      step ? move(row, step)
      : event.key === "r" && !event.repeat ? retry(row)
      : event.key === "Escape" && row ? (document.activeElement.blur(), true)
      : false;
    if (isDone) event.preventDefault();
  });
})();
