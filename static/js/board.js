// The board. Boxes and dropped cards go through #board-form; the menu of a card opens in #card-menu; what others do
// comes by itself (live.js) and leaves alone what somebody types or drags. Dragging itself: drag.js.
"use strict";
(() => {
  const board = () => document.getElementById("board");
  const menu = () => document.getElementById("card-menu");
  const say = (detail) => document.dispatchEvent(new CustomEvent("announce", { detail }));
  const isPoll = (elt) => Boolean(elt?.closest("#board [data-live]"));
  const isDragging = () => document.documentElement.classList.contains("is-dragging");
  const ofBoard = (event) => event.detail.target?.id === "board";

  // --- what #board-form says: the button that was pressed, or the card that was dropped last ---
  let last = null;
  const drops = new WeakMap(); // by the submit event
  document.addEventListener("submit", (event) => {
    if (event.target.id === "board-form") drops.set(event, event.submitter ? null : last);
  }, true);
  const acts = []; // asked for and not answered yet, in this order
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.elt.id !== "board-form") return;
    const event = detail.triggeringEvent;
    const box = event?.submitter;
    // A swap leaves the value of the focused button alone, so its state tells what is wanted.
    const act = box
      ? { path: box.getAttribute("formaction"), values: { done: box.getAttribute("aria-checked") === "true" ? "0" : "1" } }
      : drops.get(event) ?? last;
    if (box) last = act;
    detail.path = act.path;
    Object.assign(detail.parameters, act.values);
    acts.push(act);
  });
  document.addEventListener("board:drop", ({ detail: { id, list, place, back } }) => {
    last = { path: `/records/${id}/place`, values: { list_id: list, place: String(place) }, moved: id, back };
    document.getElementById("board-form").requestSubmit();
  });

  // --- requests and answers ---
  let running = 0;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!ofBoard(event)) return;
    const { elt } = event.detail;
    if (isPoll(elt)) {
      if (running || isDragging()) event.preventDefault();
      return;
    }
    running += 1;
    htmx.trigger("#board [data-live]", "htmx:abort"); // its answer would be older
  });

  let answered = null; // whose answer is put in
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!ofBoard(event)) return;
    const { detail } = event;
    answered = detail.requestConfig.elt;
    if (isDragging()) detail.shouldSwap = false;
    if (detail.xhr.status === 422 && !answered.matches("[data-kept]")) { // not a board: the list is gone meanwhile
      detail.shouldSwap = false;
      detail.isError = true;
    }
  });
  if (window.Idiomorph) {
    Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) =>
      !(old instanceof Element && old.matches("#board form[data-kept]") && old !== answered);
  }

  document.addEventListener("htmx:afterRequest", (event) => {
    if (!ofBoard(event) || isPoll(event.detail.elt)) return;
    const { elt, successful, xhr } = event.detail;
    running = Math.max(0, running - 1);
    const act = elt.id === "board-form" ? acts.shift() : null;
    const isDone = successful && xhr.status !== 422;
    const moved = act?.moved ?? elt.dataset.moves;
    if (!isDone && act?.back) {
      act.back();
      say(board().dataset.notMoved);
    }
    if (isDone && moved) tellWhere(moved);
    if (isDone && menu()?.contains(elt)) closeMenu();
    if (elt.matches("form[data-kept]")) goOn(elt, isDone);
  });

  function tellWhere(id) {
    const card = document.getElementById(`record-card-${id}`);
    const list = card?.closest("[data-list]");
    if (!list) return;
    const words = { list: list.querySelector("h2").textContent, n: Number(card.dataset.place) + 1, all: list.dataset.records };
    say(board().dataset.moved.replace(/\{(\w+)\}/g, (_, name) => words[name]));
  }

  // --- forms that add: emptied when sent, so that the next title can be typed at once; given back when refused ---
  const sent = new WeakMap();
  const waiting = new WeakMap();
  const titleOf = (form) => form.elements.namedItem("title");
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("#board form[data-kept]") || !sent.has(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!titleOf(form).value.trim()) return;
    waiting.set(form, [...(waiting.get(form) ?? []), titleOf(form).value]);
    titleOf(form).value = "";
  }, true);
  document.addEventListener("htmx:beforeSend", ({ detail: { elt } }) => {
    if (!elt.matches("form[data-kept]") || sent.has(elt)) return;
    sent.set(elt, titleOf(elt).value);
    titleOf(elt).value = "";
  });
  document.addEventListener("htmx:beforeOnLoad", ({ detail: { elt, xhr } }) => {
    if (elt.matches("form[data-kept]") && xhr.status >= 400) giveBack(elt);
  });

  function giveBack(form) {
    if (sent.has(form) && !titleOf(form).value) titleOf(form).value = sent.get(form);
  }

  function goOn(form, isDone) {
    if (!isDone) giveBack(form);
    sent.delete(form);
    const [next, ...rest] = waiting.get(form) ?? [];
    waiting.set(form, rest);
    form.noValidate = next !== undefined; // the field is empty, or holds the title after the next
    if (next === undefined) return;
    sent.set(form, next);
    htmx.ajax("POST", form.action, { source: form, target: "#board", swap: "morph:outerHTML", values: { title: next } });
  }

  // --- the menu of a card ---
  let opener = "";
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-card-menu]");
    if (event.target.closest("[data-add-list]")) addList(event);
    if (!link || !menu()?.showPopover || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    opener = link.id;
    await htmx.ajax("GET", link.getAttribute("href"), { source: link, target: "#card-menu", swap: "innerHTML settle:0ms" });
    if (menu().firstElementChild && opener === link.id) openMenu(link);
  });

  const GAP_PX = 8;
  function openMenu(link) {
    const box = link.getBoundingClientRect();
    const { style } = menu();
    menu().showPopover();
    const { offsetWidth: width, offsetHeight: height } = menu();
    const fitsBelow = box.bottom + height + GAP_PX < innerHeight;
    style.left = `${Math.max(GAP_PX, Math.min(box.right - width, innerWidth - width - GAP_PX))}px`;
    style.top = `${Math.max(GAP_PX, fitsBelow ? box.bottom : Math.min(box.top - height, innerHeight - height - GAP_PX))}px`;
    menu().querySelector("a, button").focus();
  }

  function closeMenu() {
    if (menu().matches(":popover-open")) menu().hidePopover();
    document.getElementById(opener)?.focus();
  }
  addEventListener("resize", () => { if (menu()?.matches?.(":popover-open")) closeMenu(); });

  // --- forms that open get the focus ---
  function addList(event) {
    const form = document.getElementById("new-list");
    if (!form?.matches("details")) return;
    event.preventDefault();
    form.open = true;
    form.scrollIntoView({ block: "nearest", inline: "nearest" });
    form.querySelector("input[name=title]").focus();
  }
  document.addEventListener("click", (event) => {
    const form = event.target.closest(":is(.board-add, .board-new) > summary")?.parentElement;
    if (form && !form.open) setTimeout(() => form.querySelector("input[name=title]").focus());
  });
})();
