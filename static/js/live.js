// Live parts poll (`data-live` with `hx-trigger="every 1s, live:refresh from:body"`) while somebody can see them:
// no request goes out from a hidden tab, nor while the person has paused (a button with `data-live-pause`,
// `aria-pressed`). Coming back asks at once.
"use strict";
(() => {
  let paused = false;

  document.addEventListener("htmx:beforeRequest", (event) => {
    const poller = event.detail.elt.closest("[data-live]");
    if (poller && (document.hidden || paused)) event.preventDefault();
  });

  const refresh = () => {
    if (!document.hidden && !paused && window.htmx) htmx.trigger(document.body, "live:refresh");
  };
  document.addEventListener("visibilitychange", refresh);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-live-pause]");
    if (!button) return;
    paused = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(paused));
    refresh();
  });
})();
