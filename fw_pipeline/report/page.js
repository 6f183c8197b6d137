"use strict";
(() => {
  const once = (make) => { let kept; return () => (kept ??= make()); };

  async function unpacked(id) {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (sign) => sign.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }

  const payloads = once(async () => JSON.parse(await unpacked("payloads")));
  const library = once(async () => {
    const script = document.createElement("script");
    script.textContent = await unpacked("library");
    document.head.append(script);
  });
  const payloadOf = async (figure) => (await payloads())[figure.dataset.figure];

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
    const [payload] = await Promise.all([payloadOf(figure), library()]);
    const picture = figure.querySelector(".picture");
    const holder = document.createElement("div");
    holder.className = "live coming";
    holder.ariaHidden = "true";
    const parameters = [...figure.querySelectorAll("select[data-param]")];
    const years = [...figure.querySelectorAll("select[data-year]")];
    const scale = parameters.find((select) => select.dataset.param === "scale");
    picture.style.minHeight = `${picture.offsetHeight}px`;
    picture.prepend(holder);
    const { view } = await vegaEmbed(holder, specOf(payload, scale?.value), {
      mode: "vega-lite", ast: true, renderer: "svg", actions: false, defaultStyle: false, tooltip: { disableDefaultStyle: true },
    });
    for (const select of parameters) {
      if (select !== scale) view.signal(select.dataset.param, select.value);
    }
    for (const field of years) view.signal(field.dataset.year, limitOf(field));
    await view.runAsync();
    for (const other of [...picture.children]) if (other !== holder) other.remove();
    holder.classList.remove("coming");
    figure.view?.finalize();
    figure.view = view;
    figure.dataset.drawn = figure.dataset.drawn ? Number(figure.dataset.drawn) + 1 : 1;
  }

  // The static picture stays until somebody touches the chart, or opens the claim that it belongs to.
  const live = (figure) => (figure.live ??= draw(figure).catch((error) => {
    figure.querySelector(".coming")?.remove();
    console.error(figure.dataset.figure, error);
  }));

  async function redraw(field) {
    const figure = field.closest("[data-figure]");
    const isDrawn = Boolean(figure.view);
    await live(figure);
    if (isDrawn && field.dataset.param === "scale") await draw(figure);
    else await figure.view?.signal(field.dataset.year ?? field.dataset.param, field.dataset.year ? limitOf(field) : field.value).runAsync();
  }

  for (const kind of ["pointerover", "focusin", "touchstart"]) {
    document.addEventListener(kind, (event) => {
      const figure = event.target.closest?.("[data-figure]");
      if (figure) live(figure);
    }, { passive: true });
  }
  for (const details of document.querySelectorAll(".claim > details, .fold")) {
    details.addEventListener("toggle", () => {
      const figure = details.querySelector("[data-figure]");
      if (details.open && figure) live(figure);
    });
  }

  // What the reader chose stands in the address: the month of the replay, and each choice that is not the first one.
  const keyOf = (field) => `${field.closest("[data-figure]").dataset.figure}.${field.dataset.param ?? field.dataset.year}`;
  const CHOICES = ".controls select";

  function remember(key, value) {
    const chosen = new URLSearchParams(location.search);
    if (value === null) chosen.delete(key);
    else chosen.set(key, value);
    history.replaceState(null, "", `${location.pathname}${chosen.size ? `?${chosen}` : ""}${location.hash}`);
  }

  const usual = new Map([...document.querySelectorAll(CHOICES)].map((field) => [field, field.value]));
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (!field.matches(CHOICES)) return;
    remember(keyOf(field), field.value === usual.get(field) ? null : field.value);
    redraw(field);
  });

  function recall() {
    const chosen = new URLSearchParams(location.search);
    for (const field of usual.keys()) {
      const value = chosen.get(keyOf(field));
      if (value === null || ![...field.options].some((option) => option.value === value)) continue;
      field.value = value;
      live(field.closest("[data-figure]"));
    }
    return chosen.get("as-of");
  }

  // A link to something that is folded unfolds it.
  function unfold() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    const own = target.querySelector(":scope > details");
    if (own && target.matches(".claim")) own.open = true;
    target.scrollIntoView();
  }
  addEventListener("hashchange", unfold);

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

  async function contentOf(figure, kind) {
    const payload = await payloadOf(figure);
    if (kind === "csv" || kind === "sql") return payload[kind];
    if (kind === "vl.json") return solid(JSON.stringify({ ...payload.spec, data: { values: rowsOf(payload) } }));
    await live(figure);
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
    const content = await contentOf(figure, kind);
    const blob = kind === "png" ? await bitmapOf(content) : new Blob([content], { type: `${TYPES[kind]};charset=utf-8` });
    save(`${figure.dataset.figure}.${kind}`, blob);
  });

  // The figures of a chart as a table, made when somebody opens it.
  for (const details of document.querySelectorAll("details.numbers")) {
    details.addEventListener("toggle", async () => {
      const place = details.querySelector(".scroll");
      if (place.querySelector("table")) return;
      const table = document.createElement("table");
      const [names, ...rest] = linesOf((await payloadOf(details.closest("[data-figure]"))).csv);
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
      place.replaceChildren(table);
    });
  }

  // Replay: each claim knows the months in which its verdict changed.
  const range = document.getElementById("as-of");
  const words = JSON.parse(range.dataset.words);
  const start = range.value;
  const [year, month] = range.dataset.first.split("-").map(Number);
  const nameOf = (day) => day.toLocaleDateString("en-GB", { month: "short", year: "numeric", timeZone: "UTC" }).replace("Sept", "Sep");

  function replay() {
    const day = new Date(Date.UTC(year, month - 1 + Number(range.value), 1));
    const asOf = day.toISOString().slice(0, 10);
    const name = nameOf(day);
    for (const id of ["as-of-month", "then-head"]) document.getElementById(id).textContent = name;
    range.setAttribute("aria-valuetext", name);
    for (const cell of document.querySelectorAll(".verdict.then")) {
      const [, verdict, beside, measured] = JSON.parse(cell.dataset.history).findLast(([since]) => since <= asOf)
        ?? ["", cell.dataset.otherwise, [], null];
      const chip = cell.querySelector(".chip");
      chip.className = `chip ${verdict}`;
      chip.textContent = words[verdict] ?? verdict.replaceAll("_", " ");
      cell.querySelector(".label").textContent = name;
      cell.querySelector(".when").textContent = measured === null ? "" : `figures of ${measured || name}`;
      cell.querySelectorAll(".aside").forEach((text) => text.remove());
      for (const text of beside) {
        const aside = document.createElement("span");
        aside.className = "aside";
        aside.textContent = text;
        cell.append(aside);
      }
    }
    return asOf.slice(0, 7);
  }
  const replayed = () => { const asOf = replay(); remember("as-of", range.value === start ? null : asOf); };
  range.addEventListener("input", replay);
  range.addEventListener("change", replayed);
  document.getElementById("as-of-back").addEventListener("click", () => { range.value = start; replayed(); });

  const asOf = recall()?.match(/^(\d{4})-(\d{2})$/);
  if (asOf) { range.value = (Number(asOf[1]) - year) * 12 + Number(asOf[2]) - month; replay(); }
  unfold();
})();
