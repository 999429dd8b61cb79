// What happens round a swap of htmx: the target is busy while it waits, and focus goes to where the news is.
"use strict";
(() => {
  const busy = (event, is) => {
    const { elt, target } = event.detail;
    if (target && ![elt, target].some((one) => one.closest?.("[data-live]"))) target.setAttribute("aria-busy", String(is));
  };
  document.addEventListener("htmx:beforeRequest", (event) => busy(event, true));
  document.addEventListener("htmx:afterRequest", (event) => busy(event, false));

  // First the error summary, then what asks for it by data-focus: on the page as it came, and in what htmx put in.
  // What arrives by itself takes nobody's focus away.
  const GOALS = "[data-error-summary], [data-focus]";
  document.addEventListener("htmx:load", (event) => {
    const { elt } = event.detail;
    if (!(elt instanceof Element) || elt.closest("[data-live]")) return;
    const goal = elt.matches(GOALS) ? elt : elt.querySelector(GOALS);
    goal?.focus();
  });

  // Morphing leaves alone what somebody is typing just now, and what they have opened or closed.
  if (window.Idiomorph) {
    Idiomorph.defaults.ignoreActiveValue = true;
    Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) =>
      !(name === "open" && element.matches("details, dialog"));
  }

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
