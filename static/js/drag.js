// Dragging the cards of a board with a mouse, a pen or a finger that rests a moment. The card itself is moved to where
// it would land, a picture of it follows the pointer. Dropped elsewhere it says so by `board:drop` (board.js sends it);
// Escape and everything unforeseen put it back.
"use strict";
(() => {
  const SLOP_PX = 6; // so far a pointer may stray in a click
  const HOLD_MS = 300;
  const EDGE_PX = 48;
  const SCROLL_PX = 12; // in one frame
  const NARROW = matchMedia("(max-width: 47.99rem)"); // lists stand below each other there
  let drag = null;

  document.addEventListener("pointerdown", (event) => {
    const card = event.target.closest?.(".board-card");
    if (!card || drag || event.button !== 0 || !document.getElementById("board-form")) return;
    if (event.target.closest("button, [data-card-menu]")) return;
    const isMouse = event.pointerType === "mouse";
    if (!isMouse && NARROW.matches) return;
    drag = { card, pointer: event.pointerId, isMouse, from: { x: event.clientX, y: event.clientY }, x: event.clientX, y: event.clientY };
    if (!isMouse) drag.timer = setTimeout(lift, HOLD_MS);
  });

  document.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drag?.pointer) return;
    drag.x = event.clientX;
    drag.y = event.clientY;
    if (drag.ghost || Math.hypot(drag.x - drag.from.x, drag.y - drag.from.y) < SLOP_PX) return;
    if (drag.isMouse) lift();
    else forget();
  });

  function lift() {
    const { card, from } = drag;
    const box = card.getBoundingClientRect();
    const ghost = card.cloneNode(true);
    for (const one of [ghost, ...ghost.querySelectorAll("[id]")]) one.removeAttribute("id");
    ghost.classList.add("board-ghost");
    ghost.inert = true;
    ghost.style.width = `${box.width}px`;
    document.body.append(ghost);
    Object.assign(drag, { ghost, home: card.parentElement, next: card.nextElementSibling });
    drag.grip = { x: from.x - box.left, y: from.y - box.top };
    card.classList.add("is-dragged");
    document.documentElement.classList.add("is-dragging");
    getSelection().removeAllRanges();
    follow();
  }

  // Once in a frame: the picture goes to the pointer, the card to its place, and what lies at an edge is scrolled.
  function follow() {
    if (!drag?.ghost) return;
    const { ghost, grip, x, y } = drag;
    ghost.style.transform = `translate(${x - grip.x}px, ${y - grip.y}px)`;
    const list = document.elementFromPoint(x, y)?.closest(".board-list");
    const cards = list?.querySelector(".board-cards");
    if (cards) {
      scroll(cards, 0, pull(y, cards.getBoundingClientRect(), "top", "bottom"));
      settle(cards, y);
    }
    const board = document.getElementById("columns");
    scroll(board, pull(x, board.getBoundingClientRect(), "left", "right"), 0);
    scroll(window, 0, pull(y, { top: 0, bottom: innerHeight }, "top", "bottom"));
    drag.frame = requestAnimationFrame(follow);
  }

  function settle(cards, y) {
    const { card } = drag;
    const below = [...cards.children].find((one) => {
      const { top, height } = one.getBoundingClientRect();
      return one !== card && top + height / 2 > y;
    }) ?? null;
    const isThere = card.parentElement === cards && (below ? below.previousElementSibling === card : cards.lastElementChild === card);
    if (!isThere) cards.insertBefore(card, below);
  }

  const pull = (at, box, first, last) =>
    at < box[first] + EDGE_PX ? -SCROLL_PX : at > box[last] - EDGE_PX ? SCROLL_PX : 0;
  const scroll = (what, left, top) => { if (left || top) what.scrollBy({ left, top, behavior: "instant" }); };

  function forget() {
    clearTimeout(drag.timer);
    cancelAnimationFrame(drag.frame);
    drag.ghost?.remove();
    drag.card.classList.remove("is-dragged");
    document.documentElement.classList.remove("is-dragging");
    drag = null;
  }

  const putBack = ({ card, home, next }) => home?.insertBefore(card, next?.parentElement === home ? next : null);

  function cancel() {
    const was = drag;
    forget();
    if (!was.ghost) return;
    putBack(was);
    htmx.trigger(document.body, "live:refresh"); // what came meanwhile was not shown
  }

  document.addEventListener("pointerup", (event) => {
    if (event.pointerId !== drag?.pointer) return;
    const was = drag;
    forget();
    if (!was.ghost) return;
    swallowClick();
    const { card, home, next } = was;
    const list = card.closest("[data-list]");
    if (!list || (card.parentElement === home && card.nextElementSibling === next)) {
      htmx.trigger(document.body, "live:refresh");
      return;
    }
    const detail = { id: card.id.replace("record-card-", ""), list: list.dataset.list, place: placeOf(card, home), back: () => putBack(was) };
    document.dispatchEvent(new CustomEvent("board:drop", { detail }));
  });

  // Counted from 0 among the others of the list, those that a filter hides included.
  function placeOf(card, home) {
    const own = Number(card.dataset.place);
    const cards = card.parentElement;
    const at = (one) => Number(one.dataset.place) - (cards === home && own < Number(one.dataset.place) ? 1 : 0);
    const { previousElementSibling: above, nextElementSibling: below } = card;
    return above ? at(above) + 1 : below ? at(below) : Number(card.closest("[data-list]").dataset.records);
  }

  function swallowClick() {
    const swallow = (event) => { event.preventDefault(); event.stopPropagation(); };
    document.addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => document.removeEventListener("click", swallow, { capture: true }));
  }

  document.addEventListener("pointercancel", (event) => { if (event.pointerId === drag?.pointer) cancel(); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && drag?.ghost) cancel(); });
  addEventListener("blur", () => { if (drag) cancel(); });
  document.addEventListener("touchmove", (event) => { if (drag?.ghost) event.preventDefault(); }, { passive: false });
  document.addEventListener("contextmenu", (event) => { if (drag?.ghost) event.preventDefault(); });
})();
