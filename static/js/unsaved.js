// A form with `data-warn-unsaved` asks before the page is left while something in it was changed and not saved.
"use strict";
(() => {
  const changed = new WeakSet();

  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-warn-unsaved]");
    if (form) changed.add(form);
  });
  document.addEventListener("submit", (event) => changed.delete(event.target));

  addEventListener("beforeunload", (event) => {
    const forms = [...document.querySelectorAll("form[data-warn-unsaved]")];
    if (forms.some((form) => changed.has(form))) event.preventDefault();
  });
})();
