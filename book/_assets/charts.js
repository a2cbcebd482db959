// Makes the page's charts interactive and its tables sortable. Works from file:// and loads nothing but vega.js beside it.
(() => {
  "use strict";
  const here = document.currentScript.src.replace(/[^/]*$/, "");
  const page = document.documentElement;
  const mode = () => (page.dataset.theme === "dark" ? "dark" : "light");

  // Inks and ramps named in a spec are the light ones.
  const inMode = (text) =>
    JSON.parse(mode() === "light" ? text : text.replace(/"#[0-9a-f]{6}"/g, (hex) => {
      const dark = window.cocosegLook.swaps[hex.slice(1, -1)];
      return dark ? `"${dark}"` : hex;
    }));

  class Chart {
    constructor(element) {
      this.element = element;
      this.drawing = element.querySelector(".cs-drawing");
      this.text = element.querySelector("script").textContent;
      this.controls = element.insertBefore(document.createElement("div"), this.drawing);
      this.controls.className = "cs-controls";
    }

    // Small multiples take as many columns as fit, and share what is left of the width.
    async draw() {
      this.width = this.drawing.clientWidth;
      this.drawing.style.minHeight = `${this.drawing.offsetHeight}px`;
      const spec = inMode(this.text);
      if (spec.hconcat) {
        spec.concat = spec.hconcat;
        spec.columns = spec.concat.length;
        delete spec.hconcat;
      }
      const grid = spec.encoding?.facet ?? spec;
      const unit = spec.encoding?.facet ? spec : spec.spec;
      await this.embed(spec);
      while (this.spare() < 0 && grid.columns > 1) {
        grid.columns -= 1;
        await this.embed(spec);
      }
      const more = Math.floor(this.spare() / (grid.columns ?? 1));
      if (unit?.width > 0 && (more < 0 || more > 4)) {
        unit.width = Math.max(unit.width + more, 60);
        await this.embed(spec);
      }
      this.drawing.style.minHeight = "";
      this.element.dataset.drawn = mode();
    }

    spare() {
      return this.width - this.drawing.querySelector(".marks").getBoundingClientRect().width;
    }

    async embed(spec) {
      this.view?.finalize();
      this.controls.replaceChildren();
      const look = window.cocosegLook[mode()];
      const { view } = await window.vegaEmbed(this.drawing, spec, {
        actions: false,
        bind: this.controls,
        config: { ...look, legend: { ...look.legend, columns: Math.max(2, Math.floor(this.width / 115)) } },
        renderer: this.element.dataset.renderer,
        tooltip: { theme: "custom" },
      });
      this.view = view;
    }
  }

  async function charts() {
    const all = [...document.querySelectorAll(".cs-chart")].map((element) => new Chart(element));
    if (!all.length) return;
    await new Promise((resolve, reject) => {
      const script = Object.assign(document.createElement("script"), { src: `${here}vega.js`, onload: resolve, onerror: reject });
      document.head.append(script);
    });
    await document.fonts.ready;
    const queue = new Set(all);
    let busy = false;
    const work = async () => {
      if (busy) return;
      busy = true;
      for (const chart of queue) {
        queue.delete(chart);
        await chart.draw().catch((error) => console.error(error));
      }
      busy = false;
    };
    await work();
    new MutationObserver(() => {
      all.filter((chart) => chart.element.dataset.drawn !== mode()).forEach((chart) => queue.add(chart));
      work();
    }).observe(page, { attributeFilter: ["data-theme"] });
    let pause;
    const sizes = new ResizeObserver(() => {
      clearTimeout(pause);
      pause = setTimeout(() => {
        all.filter((chart) => chart.width !== chart.drawing.clientWidth).forEach((chart) => queue.add(chart));
        work();
      }, 150);
    });
    all.forEach((chart) => sizes.observe(chart.element));
  }

  function sortable(table) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const key = (row, i) => {
      const cell = row.cells[i];
      if (heads[i].classList.contains("cs-number")) return cell.dataset.key === undefined ? NaN : Number(cell.dataset.key);
      return cell.textContent;
    };
    heads.forEach((head, i) =>
      head.firstElementChild.addEventListener("click", () => {
        const number = head.classList.contains("cs-number");
        const down = head.ariaSort ? head.ariaSort === "ascending" : number;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.ariaSort = down ? "descending" : "ascending";
        const sign = down ? -1 : 1;
        const compare = (a, b) => {
          const [x, y] = [key(a, i), key(b, i)];
          if (!number) return sign * x.localeCompare(y, "en", { numeric: true });
          return Number.isNaN(x) || Number.isNaN(y) ? Number.isNaN(x) - Number.isNaN(y) : sign * (x - y);
        };
        body.append(...[...body.rows].sort(compare));
      }));
  }

  // Other editions of the book on this machine, from editions.js if the builder wrote one.
  function editions(list) {
    const root = page.dataset.content_root ?? "./";
    const nav = Object.assign(document.createElement("nav"), { className: "cs-editions", ariaLabel: "Editions" });
    nav.append(...list.map(({ title, href }) =>
      Object.assign(document.createElement("a"), { textContent: title, href: root + href })));
    document.querySelector(".bd-sidebar-primary .bd-links")?.after(nav);
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (window.COCOSEG_EDITIONS?.length) editions(window.COCOSEG_EDITIONS);
    document.querySelectorAll(".cs-table").forEach(sortable);
    charts().catch((error) => console.error("charts could not be drawn", error));
  });
})();
