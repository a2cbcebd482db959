// Tables whose columns can be chosen, cards that can be filtered and walked through, pairs of models side by side.
// Without it, all is shown.
(() => {
  "use strict";

  function element(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  // The names in data-hidden are left out at first; the heading of a row stays.
  function choosable(box) {
    const table = box.querySelector("table");
    const hidden = new Set(box.dataset.hidden.split(";"));
    const heads = [...table.tHead.rows[0].cells];
    const controls = element("div", { className: "cs-controls" });
    heads.forEach((head, i) => {
      if (i === 0) return;
      const name = head.textContent.trim();
      const check = element("input", { type: "checkbox", checked: !hidden.has(name) });
      const show = () => [...table.rows].forEach((row) => (row.cells[i].hidden = !check.checked));
      check.addEventListener("change", show);
      show();
      controls.append(element("label", {}, check, name));
    });
    table.closest(".cs-scroll").before(element("details", { className: "cs-columns" }, element("summary", { textContent: "Columns" }), controls));
  }

  function filterable(gallery) {
    const cards = [...gallery.querySelectorAll(".cs-card")];
    const controls = element("div", { className: "cs-controls" });
    const count = element("output", {});
    const filters = [["kind", "images"], ["class", "class"], ["error", "main mistake"]].map(([key, title]) => {
      const values = [...new Set(cards.flatMap((card) => card.dataset[key].split("|")).filter(Boolean))];
      if (key !== "kind") values.sort();
      const select = element("select", {}, ...["", ...values].map((value) => element("option", { value, textContent: value || "all" })));
      select.addEventListener("change", apply);
      controls.append(element("label", {}, title, select));
      return [key, select];
    });
    const left = () => cards.filter((card) => !card.hidden);

    // Without a filter an image that is of two kinds has two cards.
    function apply() {
      cards.forEach((card) => {
        card.hidden = filters.some(([key, select]) => select.value && !card.dataset[key].split("|").includes(select.value));
      });
      count.textContent = `${left().length} of ${cards.length} cards`;
    }

    gallery.addEventListener("keydown", (event) => {
      const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
      const shown = left();
      const at = shown.indexOf(document.activeElement);
      if (at < 0) return;
      if (event.key === "Enter") document.activeElement.querySelector(".cs-strip, a")?.click();
      const to = event.key === "Home" ? shown[0] : event.key === "End" ? shown.at(-1) : steps[event.key] && shown[at + steps[event.key]];
      if (!to) return;
      event.preventDefault();
      to.focus();
      to.scrollIntoView({ block: "nearest" });
    });
    controls.append(count);
    gallery.querySelector("figcaption").append(controls);
    const wanted = filters[0][1];
    if ([...wanted.options].some((option) => option.value === "worst")) wanted.value = "worst";
    apply();
  }

  // Of a strip's panels, after photo and truth, those of the two chosen models are left; the widest apart come first.
  function comparable(list) {
    const models = JSON.parse(list.dataset.models);
    const items = [...list.children];
    const controls = element("div", { className: "cs-controls" });
    const selects = ["first", "second"].map((title, at) => {
      const select = element("select", {}, ...models.map((model, k) => element("option", { value: k, textContent: model, selected: k === at })));
      select.addEventListener("change", apply);
      controls.append(element("label", {}, title, select));
      return select;
    });

    function apply() {
      const chosen = selects.map((select) => Number(select.value));
      const gap = (item) => {
        const [a, b] = chosen.map((k) => JSON.parse(item.dataset.scores)[k]);
        return Math.abs(a - b);
      };
      items.forEach((item) =>
        item.querySelectorAll(".cs-strip figure").forEach((panel, i) => (panel.hidden = i > 1 && !chosen.includes(i - 2))),
      );
      list.append(...items.sort((one, other) => gap(other) - gap(one)));
    }

    list.before(controls);
    apply();
  }

  function enlarged(strip) {
    const dialog = element("dialog", { className: "cs-enlarged" }, strip.cloneNode(true));
    dialog.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".cs-choose").forEach(choosable);
    document.querySelectorAll(".cs-gallery").forEach(filterable);
    document.querySelectorAll(".cs-strips[data-models]").forEach(comparable);
    document.querySelectorAll(".cs-strip").forEach((strip) => strip.addEventListener("click", () => enlarged(strip)));
  });
})();
