// <time data-countdown datetime="…">in 5 minutes</time> counts down by the second: 4:59, 4:58, … and then says “now”.
"use strict";
(() => {
  const two = (number) => String(number).padStart(2, "0");

  function text(seconds) {
    if (seconds <= 0) return new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" }).format(0, "second");
    const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  }

  function tick() {
    document.querySelectorAll("[data-countdown]").forEach((element) => {
      const shown = text(Math.ceil((new Date(element.dateTime) - Date.now()) / 1000));
      if (element.textContent !== shown) element.textContent = shown;
    });
  }

  setInterval(tick, 1000);
  document.addEventListener("DOMContentLoaded", tick);
  document.addEventListener("htmx:load", tick);
})();
