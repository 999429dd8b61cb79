// On wide screens a row of a delivery log (a link with `data-row-link`) opens its delivery in a drawer beside the log,
// under the delivery's own address: Back and Escape close it, a reload shows the page. j and k go to the next row and
// the one before; on the page of a delivery to the older and the newer one.
"use strict";
(() => {
  const WIDE = matchMedia("(min-width: 62rem)");
  const ROWS = "#delivery-rows [data-row-link]";
  const place = () => location.pathname + location.search;
  let home = place(); // the address of the page round the drawer
  let dialog = null;

  const rowOf = (url) => [...document.querySelectorAll(ROWS)].find((link) => link.pathname === new URL(url, location).pathname);

  function make() {
    dialog = document.createElement("dialog");
    dialog.className = "drawer";
    dialog.setAttribute("aria-labelledby", "delivery-drawer-title");
    dialog.innerHTML = '<div id="delivery-drawer"></div>';
    dialog.addEventListener("close", closed);
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    document.body.append(dialog);
  }

  async function show(url) {
    if (!dialog) make();
    await htmx.ajax("GET", url, { target: "#delivery-drawer", swap: "outerHTML" });
    if (!dialog || place() !== new URL(url, location).pathname) return;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    document.getElementById("delivery-drawer-title")?.focus();
  }

  function open(url) {
    if (!dialog) home = place();
    history[dialog ? "replaceState" : "pushState"]({ drawer: true }, "", url);
    show(url);
  }

  // By Escape or the button the history still stands at the delivery; by Back it does not.
  function closed() {
    const shown = location.href;
    dialog.remove();
    dialog = null;
    if (history.state?.drawer) history.back();
    const row = rowOf(dialogUrl ?? shown);
    dialogUrl = null;
    row?.focus();
  }

  let dialogUrl = null;

  // Before htmx, which would fetch the page of the log anew.
  addEventListener("popstate", (event) => {
    if (event.state?.drawer) {
      if (document.querySelector(ROWS)) show(place());
      else location.reload();
    } else if (dialog) {
      event.stopImmediatePropagation();
      dialog.close();
    } else if (place() === home) event.stopImmediatePropagation();
    else if (!event.state?.htmx) location.reload();
  });
  document.addEventListener("htmx:pushedIntoHistory", () => { home = place(); });
  document.addEventListener("htmx:replacedInHistory", () => { home = place(); });
  document.addEventListener("htmx:afterSwap", () => { if (dialog) dialogUrl = location.href; });

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const neighbour = dialog && event.target.closest("#delivery a[rel]");
    const link = neighbour || rowLink(event.target);
    if (!link || !WIDE.matches) return;
    event.preventDefault();
    open(link.href);
  });

  // Anywhere in a row, but for its other controls and for text that is being selected.
  function rowLink(target) {
    if (target.closest(ROWS)) return target.closest(ROWS);
    if (target.closest("a, button, input, label, summary, form, details") || String(getSelection())) return null;
    return target.closest("#delivery-rows tr")?.querySelector("[data-row-link]");
  }

  const rests = (event) =>
    document.body.dataset.shortcuts === "off" || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey ||
    event.target.closest?.("input, textarea, select, [contenteditable]");

  function step(by) {
    const links = [...document.querySelectorAll(ROWS)];
    const row = dialog && links[links.indexOf(rowOf(location.href)) + by];
    const link = row || document.querySelector(by > 0 ? "#delivery a[rel=next]" : "#delivery a[rel=prev]");
    if (link && dialog) open(link.href);
    else link?.click();
    return Boolean(link);
  }

  document.addEventListener("keydown", (event) => {
    const by = { j: 1, k: -1 }[event.key];
    if (!by || rests(event) || (document.querySelector(ROWS) && !dialog)) return;
    if (step(by)) event.preventDefault();
  });
})();
