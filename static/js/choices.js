// Long lists of checkboxes.
//   <fieldset data-group>                      one group
//     <input type="checkbox" data-group-all>   all of it: off, on, or in between
//     <output data-group-count>                "3 of 13" (pattern in data-pattern: "{n} of {all}")
//   <button data-select="all|none" data-in="#id">   ticks what is visible inside #id (or its own group)
//   <button data-select-values="A B C" data-in="#id">   ticks these values
//   <input type="search" data-search="#id">    shows only [data-search-item] whose text fits, hides empty groups,
//                                              and announces data-pattern ("{n} events")
//   <input type="radio" data-shows="#id">      #id is shown while this one is chosen
"use strict";
(() => {
  const boxes = (root) => [...root.querySelectorAll("input[type=checkbox]:not([data-group-all])")];
  const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  function count(group) {
    const all = boxes(group);
    const n = all.filter((box) => box.checked).length;
    const head = group.querySelector("[data-group-all]");
    if (head) {
      head.checked = n > 0 && n === all.length;
      head.indeterminate = n > 0 && n < all.length;
    }
    const output = group.querySelector("[data-group-count]");
    if (output) output.textContent = fill(output.dataset.pattern, { n, all: all.length });
  }

  const countAll = (root) => root.querySelectorAll("[data-group]").forEach(count);

  function tick(list, checked) {
    list.forEach((box) => { box.checked = checked; });
    countAll(document);
    list[0]?.dispatchEvent(new Event("input", { bubbles: true }));
  }

  const isVisible = (box) => !box.closest("[hidden]");

  function search(field) {
    const root = document.querySelector(field.dataset.search);
    const words = field.value.trim().toLowerCase().split(/\s+/);
    const items = [...root.querySelectorAll("[data-search-item]")];
    items.forEach((item) => {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
    });
    root.querySelectorAll("[data-group]").forEach((group) => {
      group.hidden = !group.querySelector("[data-search-item]:not([hidden])");
    });
    const n = items.filter((item) => !item.hidden).length;
    if (field.dataset.pattern) {
      document.dispatchEvent(new CustomEvent("announce", { detail: fill(field.dataset.pattern, { n }) }));
    }
  }

  function show() {
    document.querySelectorAll("[data-shows]").forEach((radio) => {
      const part = document.querySelector(radio.dataset.shows);
      if (part) part.hidden = !radio.checked;
    });
  }

  document.addEventListener("change", (event) => {
    const { target } = event;
    if (target.matches("[data-group-all]")) tick(boxes(target.closest("[data-group]")).filter(isVisible), target.checked);
    const group = target.closest("[data-group]");
    if (group) count(group);
    if (target.type === "radio") show();
  });

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-search]")) search(event.target);
  });

  // Enter in a search field searches, which has happened already; it does not send the form around it.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-search]")) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-select], [data-select-values]");
    if (!button) return;
    const root = button.dataset.in ? document.querySelector(button.dataset.in) : button.closest("[data-group]");
    const values = button.dataset.selectValues?.split(" ");
    const list = boxes(root).filter((box) => (values ? values.includes(box.value) : isVisible(box)));
    tick(list, values ? true : button.dataset.select === "all");
  });

  const start = (root) => { countAll(root); show(); };
  document.addEventListener("DOMContentLoaded", () => start(document));
  document.addEventListener("htmx:afterSettle", () => start(document));
})();
