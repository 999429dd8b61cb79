// Copy and Reveal.
//   <button data-copy="text"> or <button data-copy-target="#id">   copies a text, or a field's value or an element's text
//   <button data-reveal="#id" aria-pressed="false">                 shows what stands in a password field
"use strict";
(() => {
  const text = (button) => {
    if (button.dataset.copy !== undefined) return button.dataset.copy;
    const source = document.querySelector(button.dataset.copyTarget);
    return source ? (source.value ?? source.textContent) : "";
  };

  async function copy(button) {
    await navigator.clipboard.writeText(text(button));
    document.dispatchEvent(new CustomEvent("announce", { detail: document.body.dataset.copied }));
    swapIcon(button, "check");
    setTimeout(() => swapIcon(button, "copy"), 2000);
  }

  function reveal(button) {
    const field = document.querySelector(button.dataset.reveal);
    const show = field.type === "password";
    field.type = show ? "text" : "password";
    button.setAttribute("aria-pressed", String(show));
    swapIcon(button, show ? "eye-off" : "eye");
  }

  function swapIcon(button, name) {
    const icon = button.querySelector("use");
    if (icon) icon.setAttribute("href", icon.getAttribute("href").replace(/#.*/, `#${name}`));
  }

  document.addEventListener("click", (event) => {
    const copier = event.target.closest("[data-copy], [data-copy-target]");
    if (copier) copy(copier);
    const revealer = event.target.closest("[data-reveal]");
    if (revealer) reveal(revealer);
  });

  // Without clipboard access (plain http on another host) the copy buttons stay hidden.
  if (!navigator.clipboard) document.documentElement.classList.add("no-clipboard");
})();
