// Keys of the keyboard, as /shortcuts lists them (the keys of rows are in rows.js). They rest while somebody types, in
// dialogs and open menus, and with Ctrl, Alt or Cmd; `<body data-shortcuts="off">` turns them off. This file, rows.js
// and dialogs.js are plain scripts in the head: a page heeds its keys as soon as it is seen.
//   n   [data-shortcut="n"], else the page's main button     /   [data-shortcut="/"], else the first field of a search
//   r   the redelivery of a delivery's page                  g   and then the `data-key` of a link of the frame
"use strict";
(() => {
  const GO_WITHIN_MS = 1500;
  const NEW = '[data-shortcut="n"], .page-actions > .btn-primary, .empty-actions > .btn-primary';
  const SEARCH = '[data-shortcut="/"], main [role="search"] :is([type="search"], [type="text"])';
  const AGAIN = '[data-shortcut="r"], form[action$="/redeliveries"] button[type="submit"]';
  let goesUntil = 0;

  const rests = (event) =>
    document.body?.dataset.shortcuts === "off" || event.defaultPrevented || event.repeat || event.isComposing ||
    event.ctrlKey || event.altKey || event.metaKey ||
    event.target.closest?.("input, textarea, select, [contenteditable]") ||
    document.querySelector("dialog[open], details.menu[open]");

  function press(selector) {
    const element = [...document.querySelectorAll(`main :is(${selector})`)].find((one) => one.checkVisibility() && !one.disabled);
    element?.click();
    return Boolean(element);
  }

  function search() {
    const field = [...document.querySelectorAll(SEARCH)].find((one) => one.checkVisibility());
    field?.focus();
    field?.select?.();
    return Boolean(field);
  }

  function go(key) {
    const link = document.querySelector(`header [data-key="${CSS.escape(key)}"]`);
    if (link) location.assign(link.href);
    return Boolean(link);
  }

  async function list() {
    const { href } = document.querySelector("[data-shortcuts-list]");
    const answer = await fetch(href, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok) {
      location.assign(href);
      return;
    }
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "shortcuts-title");
    dialog.innerHTML = await answer.text();
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  const KEYS = {
    "?": () => Boolean(document.querySelector("[data-shortcuts-list]")) && (list(), true),
    "/": search,
    n: () => press(NEW),
    // In a log it would be anybody's guess which row is meant; rows.js knows.
    r: () => !document.getElementById("delivery-rows") && press(AGAIN),
    g: () => { goesUntil = Date.now() + GO_WITHIN_MS; return true; },
  };

  document.addEventListener("keydown", (event) => {
    if (rests(event)) return;
    const isGoing = Date.now() < goesUntil;
    goesUntil = 0;
    const act = isGoing ? () => go(event.key) : KEYS[event.key];
    if (act?.()) event.preventDefault();
  });
})();
