"use strict";
(() => {
  const payloads = new Map();
  for (const element of document.querySelectorAll("script.payload")) {
    payloads.set(element.dataset.for, JSON.parse(element.textContent));
  }
  const TYPES = { csv: "text/csv", sql: "text/plain", svg: "image/svg+xml", png: "image/png", "vl.json": "application/json" };

  // Vega's own reader of CSV compiles code from text, which the page's policy forbids.
  function rowsOf(payload) {
    const lines = [[""]];
    let quoted = false;
    for (let at = 0; at < payload.csv.length; at += 1) {
      const sign = payload.csv[at];
      const line = lines[lines.length - 1];
      if (quoted ? sign !== '"' : sign !== '"' && sign !== "," && sign !== "\n") line[line.length - 1] += sign;
      else if (quoted && payload.csv[at + 1] === '"') { line[line.length - 1] += '"'; at += 1; }
      else if (sign === '"') quoted = !quoted;
      else if (sign === ",") line.push("");
      else lines.push([""]);
    }
    const [names, ...rest] = lines;
    const read = {
      number: (text) => (text === "" ? null : Number(text)),
      boolean: (text) => (text === "" ? null : text === "true"),
      date: (text) => (text === "" ? null : Date.parse(text)),
      string: (text) => (text === "" ? null : text),
    };
    return rest.filter((line) => line.length === names.length)
      .map((line) => Object.fromEntries(names.map((name, place) => [name, read[payload.parse[name]](line[place])])));
  }

  function specOf(payload) {
    const spec = structuredClone(payload.spec);
    spec.data = { values: rowsOf(payload) };
    spec.width = "container";
    return spec;
  }

  function save(name, content, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: type + ";charset=utf-8" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  async function draw(figure) {
    const name = figure.dataset.figure;
    const payload = payloads.get(name);
    const picture = figure.querySelector(".picture");
    const holder = document.createElement("div");
    holder.className = "live";
    picture.append(holder);
    const { view } = await vegaEmbed(holder, specOf(payload), {
      ast: true, renderer: "svg", actions: false, defaultStyle: false, tooltip: { disableDefaultStyle: true },
    });
    holder.querySelector("svg")?.setAttribute("aria-hidden", "true");
    for (const old of [...picture.children]) {
      if (old !== holder) old.remove();
    }
    const controls = figure.querySelector(".controls");
    if (controls) {
      controls.hidden = false;
      for (const select of controls.querySelectorAll("select[data-param]")) {
        select.addEventListener("change", () => view.signal(select.dataset.param, select.value).runAsync());
      }
      for (const field of controls.querySelectorAll("input[data-year]")) {
        field.addEventListener("change", () => {
          const year = Number(field.value);
          const ever = field.dataset.year === "first" ? 0 : Date.UTC(2100, 0, 1);
          const month = field.dataset.year === "first" ? Date.UTC(year, 0, 1) : Date.UTC(year, 11, 31);
          view.signal(field.dataset.year, year ? month : ever).runAsync();
        });
      }
    }
    figure.dataset.drawn = "yes";
  }

  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) {
        watcher.unobserve(entry.target);
        draw(entry.target).catch((error) => console.error(entry.target.dataset.figure, error));
      }
    }
  }, { rootMargin: "600px" });
  for (const figure of document.querySelectorAll(".figure")) watcher.observe(figure);

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-file]");
    if (!link) return;
    const name = link.closest("[data-figure]").dataset.figure;
    const payload = payloads.get(name);
    const kind = link.dataset.file;
    const content = { csv: payload.csv, sql: payload.sql, "vl.json": JSON.stringify({ ...payload.spec, data: { values: payload.csv, format: { type: "csv", parse: payload.parse } } }) }[kind];
    if (content === undefined) return;
    event.preventDefault();
    save(`${name}.${kind}`, content, TYPES[kind]);
  });
})();
