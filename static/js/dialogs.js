// Dialogs and menus.
//   <a href="/the/page/version" data-dialog="#id">   opens <dialog id="id"> instead of following the link
//   <dialog data-open>                               is opened when it arrives (page load or swap)
//   <button data-close>                              closes the dialog that it stands in
// Menus are <details class="menu">: Escape and a click elsewhere close them.
"use strict";
(() => {
  let opener = null;

  function open(dialog) {
    if (dialog.open && dialog.matches(":modal")) return;
    dialog.close();
    opener = document.activeElement;
    dialog.showModal();
    dialog.addEventListener("close", () => opener?.isConnected && opener.focus(), { once: true });
  }

  const openArrived = () => document.querySelectorAll("dialog[data-open]:not(:modal)").forEach((dialog) => {
    dialog.removeAttribute("data-open");
    open(dialog);
  });
  document.addEventListener("DOMContentLoaded", openArrived);
  document.addEventListener("htmx:afterSettle", openArrived);

  function closeMenus(except) {
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (menu !== except) menu.open = false;
    });
  }

  document.addEventListener("click", (event) => {
    closeMenus(event.target.closest("details.menu"));
    const link = event.target.closest("[data-dialog]");
    const dialog = link && document.querySelector(link.dataset.dialog);
    if (dialog) {
      event.preventDefault();
      open(dialog);
    }
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
  });

  // What a menu asks for shows elsewhere on the page.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const menu = event.detail.elt.closest?.("details.menu");
    if (menu) menu.open = false;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest?.("details.menu[open]");
    closeMenus(null);
    menu?.querySelector("summary").focus();
  });
})();
