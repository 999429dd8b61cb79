// A form with `data-warn-unsaved` asks before the page is left while something in it was changed and not saved: by hand,
// by what a button put in, or in a form that came back with errors. Fields without a name and those with `data-aside`
// are not saved, so they do not count.
"use strict";
(() => {
  const changed = new WeakSet();

  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-warn-unsaved]");
    if (form && event.target.name && !("aside" in event.target.dataset)) changed.add(form);
  });
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("form[data-warn-unsaved]:has([data-error-summary])").forEach((form) => changed.add(form));
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const button = event.detail.elt.closest("button:not([data-aside])");
    const form = button?.closest("form[data-warn-unsaved]");
    if (form) changed.add(form);
  });
  document.addEventListener("submit", (event) => changed.delete(event.target));

  addEventListener("beforeunload", (event) => {
    const forms = [...document.querySelectorAll("form[data-warn-unsaved]")];
    if (forms.some((form) => changed.has(form))) event.preventDefault();
  });
})();
