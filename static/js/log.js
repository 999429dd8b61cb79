// The delivery log: how its live view stands, the button of new deliveries, its filters. The rows come by htmx.
"use strict";
(() => {
  const SAY_EVERY_MS = 10_000;
  const SAY_AFTER_MS = 2_000; // most have an outcome by then
  const stateLine = () => document.querySelector("[data-live-state]");
  const poller = () => document.getElementById("delivery-poller");
  const isPoller = (event) => event.detail.elt?.id === "delivery-poller";
  let updatedAt = Date.now();
  let state = "updated"; // updated, off, away, signedOut
  let brings = false;

  function show() {
    const line = stateLine();
    if (!line || state === "signedOut") return;
    const seconds = Math.max(1, Math.round((Date.now() - updatedAt) / 1000));
    const text = line.dataset[state].replace("{n}", seconds);
    if (line.textContent !== text) line.textContent = text;
    line.classList.toggle("is-away", state === "away");
  }

  const say = (text) => document.dispatchEvent(new CustomEvent("announce", { detail: text }));

  function become(next) {
    if (state === next || state === "signedOut") return;
    state = next;
    show();
    if (next === "away") say(stateLine()?.textContent ?? "");
  }

  setInterval(show, 1000);
  document.addEventListener("DOMContentLoaded", show);
  document.addEventListener("live:switched", (event) => become(event.detail.on ? "updated" : "off"));
  document.addEventListener("htmx:load", show);

  // New rows may push down what somebody reads: they are only asked for while the first row is on the screen.
  const isAway = () => (document.getElementById("delivery-rows")?.getBoundingClientRect().top ?? 0) < 0;
  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, parameters } = event.detail;
    if (elt.id === "log-filters") {
      for (const [name, value] of [...Object.entries(parameters)]) if (!value) delete parameters[name];
    }
    if (elt.id !== "delivery-poller" || brings || !isAway()) return;
    parameters.away = "1";
    parameters.waiting = elt.dataset.waiting;
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-live-bring]")) return;
    brings = true;
    document.getElementById("delivery-log").scrollIntoView({ block: "start" });
    htmx.trigger(document.body, "live:refresh");
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    if (!isPoller(event)) return;
    const { successful, xhr } = event.detail;
    if (successful) {
      updatedAt = Date.now();
      brings = false;
      if (state === "away") become("updated");
    } else if (xhr.status !== 401 && state !== "off") become("away");
    show();
  });

  // Somebody who reads is not sent to the sign-in page by a request that they did not make.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr } = event.detail;
    if (!isPoller(event) || xhr.status !== 401) return;
    event.preventDefault();
    signedOut(xhr.getResponseHeader("HX-Redirect"));
  });

  function signedOut(address) {
    const line = stateLine();
    if (!line || state === "signedOut") return;
    state = "signedOut";
    const link = document.createElement("a");
    link.href = address ?? "/login";
    link.textContent = line.dataset.signIn;
    line.replaceChildren(`${line.dataset.signedOut} `, link);
    line.classList.add("is-away");
    say(line.dataset.signedOut);
    poller().remove();
  }

  // One sentence for all that came, now and then: rows are no live regions.
  const unsaid = new Set();
  let saidAt = 0;
  let timer = 0;
  document.addEventListener("htmx:load", (event) => {
    const { elt } = event.detail;
    if (!elt.classList?.contains("is-fresh")) return;
    unsaid.add(elt.id);
    timer ||= setTimeout(sum, Math.max(SAY_AFTER_MS, saidAt + SAY_EVERY_MS - Date.now()));
  });

  function sum() {
    const line = stateLine();
    const failing = [...unsaid].filter((id) => document.getElementById(id)?.hasAttribute("data-failing")).length;
    const words = line?.dataset[unsaid.size === 1 ? "one" : "many"].replace("{n}", unsaid.size);
    if (words) say(failing ? `${words}, ${line.dataset.failed.replace("{n}", failing)}` : words);
    unsaid.clear();
    saidAt = Date.now();
    timer = 0;
  }

  // Filters apply when they change; a time does when it is left, for it changes with each of its parts.
  const apply = (field) => htmx.trigger(field.form, "apply");
  document.addEventListener("change", (event) => {
    const { target } = event;
    if (!window.htmx || target.form?.id !== "log-filters") return;
    if (target.matches("select")) apply(target);
    else if (target.type === "datetime-local") target.dataset.isChanged = "1";
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.form?.id === "log-filters" && event.target.dataset.isChanged) apply(event.target);
  });

  const problem = (is) => {
    const box = document.getElementById("log-problem");
    if (box) box.hidden = !is;
  };
  const ofFilters = (event) => event.detail.elt?.id === "log-filters";
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, (event) => ofFilters(event) && problem(true));
  }
  document.addEventListener("htmx:beforeRequest", (event) => ofFilters(event) && problem(false));
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-log-again]")) htmx.trigger("#log-filters", "apply");
  });
})();
