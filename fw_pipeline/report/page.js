"use strict";
(() => {
  const payloads = new Map();
  for (const element of document.querySelectorAll("script.payload")) {
    payloads.set(element.dataset.for, JSON.parse(element.textContent));
  }

  // Vega's own reader of CSV compiles code from text, which the policy of this page forbids.
  function linesOf(csv) {
    const lines = [[""]];
    let quoted = false;
    for (let at = 0; at < csv.length; at += 1) {
      const sign = csv[at];
      const line = lines[lines.length - 1];
      if (quoted ? sign !== '"' : sign !== '"' && sign !== "," && sign !== "\n") line[line.length - 1] += sign;
      else if (quoted && csv[at + 1] === '"') { line[line.length - 1] += '"'; at += 1; }
      else if (sign === '"') quoted = !quoted;
      else if (sign === ",") line.push("");
      else lines.push([""]);
    }
    return lines.filter((line) => line.length === lines[0].length);
  }

  const READ = { number: Number, boolean: (text) => text === "true", date: Date.parse, string: String };

  function rowsOf(payload) {
    const [names, ...rest] = linesOf(payload.csv);
    return rest.map((line) => Object.fromEntries(
      names.map((name, place) => [name, line[place] === "" ? null : READ[payload.parse[name]](line[place])])));
  }

  function specOf(payload, scale) {
    const spec = structuredClone(payload.spec);
    spec.data = { values: rowsOf(payload) };
    spec.width = "container";
    for (const layer of scale === "log" ? spec.layer : []) {
      if (layer.encoding?.y?.field) layer.encoding.y.scale = { ...layer.encoding.y.scale, type: "log" };
    }
    return spec;
  }

  // Milliseconds of the first or last day of the year that the reader chose; an end left alone is no limit.
  function limitOf(field) {
    const isFirst = field.dataset.year === "first";
    if (field.selectedIndex === (isFirst ? 0 : field.options.length - 1)) return isFirst ? -8e14 : 8e14;
    return isFirst ? Date.UTC(Number(field.value), 0, 1) : Date.UTC(Number(field.value), 11, 31);
  }

  async function draw(figure) {
    const picture = figure.querySelector(".picture");
    const holder = document.createElement("div");
    holder.className = "live coming";
    holder.ariaHidden = "true";
    const parameters = [...figure.querySelectorAll("select[data-param]")];
    const years = [...figure.querySelectorAll("select[data-year]")];
    const scale = parameters.find((select) => select.dataset.param === "scale");
    const payload = payloads.get(figure.dataset.figure);
    picture.prepend(holder);
    const { view } = await vegaEmbed(holder, specOf(payload, scale?.value), {
      mode: "vega-lite", ast: true, renderer: "svg", actions: false, defaultStyle: false, tooltip: { disableDefaultStyle: true },
    });
    for (const other of [...picture.children]) if (other !== holder) other.remove();
    holder.classList.remove("coming");
    for (const select of parameters) {
      if (select !== scale) view.signal(select.dataset.param, select.value);
    }
    for (const field of years) view.signal(field.dataset.year, limitOf(field));
    await view.runAsync();
    figure.view?.finalize();
    figure.view = view;
    figure.dataset.drawn = figure.dataset.drawn ? Number(figure.dataset.drawn) + 1 : 1;
  }

  async function redraw(field) {
    const figure = field.closest("[data-figure]");
    if (field.dataset.param === "scale") await draw(figure);
    else await figure.view?.signal(field.dataset.year ?? field.dataset.param, field.dataset.year ? limitOf(field) : field.value).runAsync();
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-param], select[data-year]")) redraw(event.target);
  });

  for (const controls of document.querySelectorAll(".controls")) controls.hidden = false;
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      watcher.unobserve(entry.target);
      draw(entry.target).catch((error) => {
        entry.target.querySelector(".live")?.remove();
        console.error(entry.target.dataset.figure, error);
      });
    }
  }, { rootMargin: "400px" });
  for (const figure of document.querySelectorAll("[data-figure]")) {
    const picture = figure.querySelector(".picture");
    picture.style.minHeight = `${picture.querySelector("svg").getAttribute("height")}px`;
    watcher.observe(figure);
  }

  // Files: what is in the page is saved from it; a bitmap is drawn from the chart as it is shown.
  const TYPES = { csv: "text/csv", sql: "text/plain", svg: "image/svg+xml", png: "image/png", "vl.json": "application/json" };

  function save(name, blob) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  const colours = () => getComputedStyle(document.documentElement);
  const solid = (text) => text.replace(/var\(--([a-z]+)\)/g, (_, name) => colours().getPropertyValue(`--${name}`).trim());

  async function contentOf(figure, payload, kind) {
    if (kind === "csv" || kind === "sql") return payload[kind];
    if (kind === "vl.json") return solid(JSON.stringify({ ...payload.spec, data: { values: rowsOf(payload) } }));
    if (!figure.view) await draw(figure);
    return solid(await figure.view.toSVG());
  }

  async function bitmapOf(svg) {
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width * 2, image.height * 2];
    const context = canvas.getContext("2d");
    context.fillStyle = colours().getPropertyValue("--paper");
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => { canvas.toBlob(done, "image/png"); });
  }

  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-file]");
    if (!link) return;
    event.preventDefault();
    const figure = link.closest("[data-figure]");
    const kind = link.dataset.file;
    const content = await contentOf(figure, payloads.get(figure.dataset.figure), kind);
    const blob = kind === "png" ? await bitmapOf(content) : new Blob([content], { type: `${TYPES[kind]};charset=utf-8` });
    save(`${figure.dataset.figure}.${kind}`, blob);
  });

  // The figures of a chart as a table, made when somebody opens it.
  for (const details of document.querySelectorAll("details.numbers")) {
    details.addEventListener("toggle", () => {
      const place = details.querySelector(".scroll");
      if (place.firstChild) return;
      const [names, ...rest] = linesOf(payloads.get(details.closest("[data-figure]").dataset.figure).csv);
      const table = place.appendChild(document.createElement("table"));
      const head = table.createTHead().insertRow();
      for (const name of names) {
        const cell = head.appendChild(document.createElement("th"));
        cell.scope = "col";
        cell.textContent = name.replaceAll("_", " ");
      }
      const body = table.createTBody();
      for (const line of rest) {
        const row = body.insertRow();
        for (const text of line) row.insertCell().textContent = text;
      }
    });
  }

  // Replay: each row knows the months in which its verdict changed.
  const range = document.getElementById("as-of");
  const words = JSON.parse(range.dataset.words);
  const output = document.getElementById("as-of-month");
  const head = document.getElementById("then-head");
  const start = range.value;

  function replay() {
    const [year, month] = range.dataset.first.split("-").map(Number);
    const day = new Date(Date.UTC(year, month - 1 + Number(range.value), 1));
    const asOf = day.toISOString().slice(0, 10);
    const name = day.toLocaleDateString("en-GB", { month: "short", year: "numeric", timeZone: "UTC" });
    output.textContent = name;
    head.textContent = name;
    range.setAttribute("aria-valuetext", name);
    for (const cell of document.querySelectorAll("td.then")) {
      const [, verdict, beside] = JSON.parse(cell.dataset.history).findLast(([since]) => since <= asOf)
        ?? ["", cell.dataset.otherwise, []];
      const chip = cell.querySelector(".chip");
      chip.className = `chip ${verdict}`;
      chip.textContent = words[verdict] ?? verdict.replaceAll("_", " ");
      cell.querySelectorAll(".aside").forEach((text) => text.remove());
      for (const text of beside) {
        const aside = document.createElement("span");
        aside.className = "aside";
        aside.textContent = text;
        cell.append(aside);
      }
      cell.dataset.label = name;
    }
  }
  document.querySelector(".replay").hidden = false;
  range.addEventListener("input", replay);
  document.getElementById("as-of-back").addEventListener("click", () => { range.value = start; replay(); });
})();
