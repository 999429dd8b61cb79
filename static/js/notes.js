// Words for people: the status region for screen readers, and notes (toasts) when a request of htmx failed.
// Other files announce by `document.dispatchEvent(new CustomEvent("announce", { detail: "Copied" }))`.
"use strict";
(() => {
  const texts = () => document.body.dataset;

  document.addEventListener("announce", (event) => {
    const status = document.getElementById("status");
    if (!status) return;
    status.textContent = "";
    // The same words twice are only read out again when the region was empty in between.
    requestAnimationFrame(() => { status.textContent = event.detail; });
  });

  function note(text, again) {
    const region = document.getElementById("toasts");
    if (!region || [...region.children].some((child) => child.dataset.text === text)) return;
    const element = document.createElement("div");
    element.className = "note";
    element.dataset.text = text;
    const words = document.createElement("span");
    words.textContent = text;
    element.append(words, button(texts().tryAgain, () => { element.remove(); again(); }));
    region.append(element);
  }

  function button(text, act) {
    const element = document.createElement("button");
    element.type = "button";
    element.className = "btn btn-sm btn-outline-secondary";
    element.textContent = text;
    element.addEventListener("click", act);
    return element;
  }

  // A poller is silent: it asks again by itself a second later, and says so only when it fails for a while.
  const MISSES_BEFORE_A_NOTE = 5;
  let misses = 0;

  function failed(event, text) {
    if (event.detail.elt.closest("[data-live='own'], #log-filters")) return; // log.js tells
    const poller = event.detail.elt.closest("[data-live]");
    if (poller && ++misses < MISSES_BEFORE_A_NOTE) return;
    const { elt, requestConfig } = event.detail;
    const form = elt.closest("form");
    note(text, () => {
      if (poller || requestConfig.verb === "get") location.reload();
      else if (form) form.requestSubmit();
      else elt.click();
    });
  }

  // When to come back only the server knows; it says so in the part that shows an error.
  function told(xhr) {
    const part = new DOMParser().parseFromString(xhr.responseText, "text/html");
    return part.querySelector("#error p")?.textContent.trim();
  }

  document.addEventListener("htmx:sendError", (event) => failed(event, texts().unreachable));
  document.addEventListener("htmx:timeout", (event) => failed(event, texts().unreachable));
  document.addEventListener("htmx:responseError", (event) => {
    const { status } = event.detail.xhr;
    if (status === 401) return; // HX-Redirect leads to the sign-in page
    const text = status === 429 ? told(event.detail.xhr) || texts().tooMany : status === 400 ? texts().sessionEnded : texts().refused;
    failed(event, text);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful) return;
    misses = 0;
    document.getElementById("toasts")?.replaceChildren();
  });
})();
