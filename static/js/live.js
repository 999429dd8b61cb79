// Live parts poll (`data-live` with `hx-trigger="every 1s, live:refresh from:body"`) while somebody can see them:
// no request goes out from a hidden tab, nor while the person has switched it off (a button with `data-live-switch`,
// `role="switch"`). Coming back asks at once. `data-live="own"` tells by itself when the server is away (log.js).
"use strict";
(() => {
  let on = true;

  document.addEventListener("htmx:beforeRequest", (event) => {
    const poller = event.detail.elt.closest("[data-live]");
    if (poller && (document.hidden || !on)) event.preventDefault();
  });

  const refresh = () => {
    if (!document.hidden && on && window.htmx) htmx.trigger(document.body, "live:refresh");
  };
  document.addEventListener("visibilitychange", refresh);

  const show = () => {
    document.querySelectorAll("[data-live-switch]").forEach((each) => each.setAttribute("aria-checked", String(on)));
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-live-switch]")) return;
    on = !on;
    show();
    document.dispatchEvent(new CustomEvent("live:switched", { detail: { on } }));
    refresh();
  });
  document.addEventListener("htmx:load", show); // a swap may have brought the switch anew
})();
