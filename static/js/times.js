// <relative-time> says "now" for the whole first minute. People who watch a log want to see the seconds.
"use strict";
(() => {
  const MINUTE_S = 60;
  const formats = new Map();
  const format = (lang) => formats.get(lang) ?? formats.set(lang, new Intl.RelativeTimeFormat(lang, { numeric: "auto" })).get(lang);

  document.addEventListener("relative-time-updated", (event) => {
    const element = event.composedPath()[0];
    const seconds = Math.round((Date.parse(element.getAttribute("datetime")) - Date.now()) / 1000);
    if (!(Math.abs(seconds) < MINUTE_S) || element.getAttribute("format")) return;
    const root = element.shadowRoot?.querySelector("[part=root]");
    if (root) root.textContent = format(document.documentElement.lang).format(seconds, "second");
  });
})();
