// What happens round a swap of htmx: the target is busy while it waits, and focus goes to where the news is.
"use strict";
(() => {
  const busy = (event, is) => {
    const { target } = event.detail;
    if (target && !target.closest("[data-live]")) target.setAttribute("aria-busy", String(is));
  };
  document.addEventListener("htmx:beforeRequest", (event) => busy(event, true));
  document.addEventListener("htmx:afterRequest", (event) => busy(event, false));

  // First the error summary, then what asks for it: data-focus, or a new heading that can take focus.
  const focusIn = (root) => {
    const goal = root.querySelector("[data-error-summary], [data-focus]");
    if (goal) goal.focus();
  };
  document.addEventListener("htmx:afterSwap", (event) => focusIn(event.detail.target));
  // A form that came back with errors without htmx.
  document.addEventListener("DOMContentLoaded", () => focusIn(document));

  // Plain forms: the button cannot be pressed twice.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (event.defaultPrevented || !button || event.target.method === "dialog") return;
    setTimeout(() => { button.disabled = true; });
    setTimeout(() => { button.disabled = false; }, 10_000);
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("button:disabled[type=submit]").forEach((button) => { button.disabled = false; });
  });
})();
