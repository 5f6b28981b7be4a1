// Draws a figure and plays a table that Python computed. It knows no mathematics: only that
// row k of a column goes to an attribute of a trace, or to a path of the layout.
// The same module runs in a notebook (anywidget's model) and in a stand-alone page (a plain object
// with the same five methods).

const LOADED = "__grda_edu_plotly__"; // one library a page, whoever asks first
const KERNEL_INTERVAL_MS = 200; // at most five messages a second to the kernel
const SPOKEN_AFTER_MS = 300; // a screen reader hears the sentence once the slider rests
const SLOW_ANSWER_MS = 4000;
const STILL_PICTURES = 9; // of it, where the learner asked for less motion
const STILL_MS = 1000;
const REST_MS = 120; // without a move, and Plotly draws
const HEADING_GAP = 6; // pixels between a heading and its panel
const PAGE = crypto.randomUUID?.() ?? `${Math.random()}`; // who says that a control has moved

function loadPlotly(model) {
  const own = model.get("library");
  if (typeof own === "function") return own(); // a page of the web edition, where figures share two of them
  globalThis[LOADED] ??= (async () => {
    const packed = await librarySource(model);
    const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const source = await new Response(unpacked).text();
    const module = `const module = {exports: {}};\n${source}\nexport default module.exports;`;
    const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
    try {
      return (await import(url)).default;
    } finally {
      URL.revokeObjectURL(url);
    }
  })().catch((error) => {
    delete globalThis[LOADED]; // the next figure tries again
    throw error;
  });
  return globalThis[LOADED];
}

async function librarySource(model) {
  const library = model.get("library");
  if (typeof library !== "string") return library; // the stand-alone page holds the bytes
  const id = library.slice("IPY_MODEL_".length);
  return (await model.widget_manager.get_model(id)).get("packed");
}

// ---------------------------------------------------------------- the table

const cells = (shape) => shape.reduce((product, size) => product * size, 1);

// A column is stored along the controls it depends on only; elsewhere its grid has size one.
function rowOf(column, position) {
  return column.grid.reduce((row, size, axis) => row * size + (size === 1 ? 0 : position[axis]), 0);
}

function cut(values, shape) {
  if (shape.length < 2) return shape.length ? values : values[0];
  const step = cells(shape.slice(1));
  return Array.from({ length: shape[0] }, (_, i) =>
    cut(values.slice(i * step, (i + 1) * step), shape.slice(1)),
  );
}

function readRow(table, column, row) {
  if (column.strings) return column.strings[row];
  const size = cells(column.shape);
  const start = table.data.byteOffset + column.offset + 4 * row * size;
  const values = new Float32Array(table.data.buffer.slice(start, start + 4 * size));
  // Plotly takes typed arrays as data only; a range of an axis must be a plain array.
  return cut(column.trace === null ? [...values] : values, column.shape);
}

// ---------------------------------------------------------------- colours and sizes

function isDark(el) {
  const { body } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false"; // JupyterLab
  if (body.dataset.vscodeThemeKind) return body.dataset.vscodeThemeKind.includes("dark");
  if (["light", "dark"].includes(body.dataset.theme)) return body.dataset.theme === "dark"; // the web edition
  const root = document.documentElement;
  if (root.hasAttribute("theme")) return root.getAttribute("theme") === "dark"; // Colab
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function recolour(value, dark) {
  if (typeof value === "string")
    return value.replace(/#[0-9a-f]{6}/gi, (hex) => dark[hex.toLowerCase()] ?? hex);
  if (Array.isArray(value)) return value.map((item) => recolour(item, dark));
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, recolour(v, dark)]));
}

// A copy of `object` with the value at `path` replaced; all else is shared, so that Plotly.react
// sees what changed by identity.
function withPath(object, path, value) {
  const [head, ...rest] = path;
  const copy = Array.isArray(object) ? [...object] : { ...object };
  copy[head] = rest.length ? withPath(object?.[head] ?? {}, rest, value) : value;
  return copy;
}

const pathOf = (key) => key.split(/[.[\]]/).filter(Boolean);

// ---------------------------------------------------------------- the canvas

class Canvas {
  constructor(model, plot, page, fail) {
    Object.assign(this, { model, plot, page, fail, frame: 0, width: 0, drawnRows: new Map() });
    this.views = 0; // how often the learner asked for the first view again
    this.restyle();
  }

  restyle() {
    const { data, layout } = this.model.get("figure");
    const dark = isDark() ? this.model.get("dark") : {};
    this.dark = dark;
    this.data = recolour(data, dark);
    const { title, meta, ...drawn } = recolour(layout, dark); // the page writes the title
    this.layout = { ...drawn, autosize: false, uirevision: `view ${this.views}` };
    this.traces = new Map(this.data.map((trace, i) => [trace.name, i]));
    this.drawnRows.clear();
    this.arrange();
  }

  resize(width) {
    if (!width || Math.abs(width - this.width) < 1) return; // hidden, or nothing new
    this.width = width;
    this.arrange();
  }

  // Put the panels where the page has room for them beside the headings.
  arrange() {
    const { layout, data } = this.page.arrange(this.width);
    for (const [path, value] of layout) this.layout = withPath(this.layout, path, value);
    for (const [trace, path, value] of data)
      this.data = withPath(this.data, [this.traces.get(trace), ...path], value);
    this.rest();
  }

  // A scene in space as it was at first, however the learner turned it.
  lookAgain() {
    const { layout } = this.model.get("figure");
    const scenes = Object.keys(layout ?? {}).filter((name) => /^scene\d*$/.test(name));
    if (!scenes.length) return;
    for (const name of scenes)
      this.layout = withPath(this.layout, [name, "camera"], structuredClone(layout[name].camera));
    this.layout = { ...this.layout, uirevision: `view ${++this.views}` };
    this.rest();
  }

  // A picture of Plotly's is due.
  rest() {
    this.resting = true;
    this.request();
  }

  request() {
    this.wanted = true;
    this.plot.dataset.state = "waiting";
    clearTimeout(this.timer);
    if (!this.drawing) this.frame ||= requestAnimationFrame(() => this.answer());
  }

  // At most one drawing at a time; what was asked for meanwhile is drawn next, the latest only.
  async answer() {
    this.frame = 0;
    this.wanted = false;
    this.drawing = true;
    try {
      if (this.placeRows() && !this.move() && (await this.draw()) && !this.wanted) this.plot.dataset.state = "drawn";
    } catch (error) {
      this.plot.dataset.state = "failed";
      this.fail(error);
    }
    this.drawing = false;
    if (this.wanted && !this.gone) this.request();
  }

  placeRows() {
    const table = this.model.get("table");
    if (!this.width || !table.columns) return false;
    const position = positionIn(this.model);
    for (const column of table.columns) this.place(table, column, rowOf(column, position));
    return true;
  }

  // While a hand moves; Plotly draws where it rests. False where only Plotly can draw this picture.
  move() {
    const { moving } = this;
    if (this.resting || moving?.table !== this.model.get("table") || !moving.fits(this.layout)) return false;
    moving.draw(this.data, this.layout);
    count(this.plot, "moved");
    this.timer = setTimeout(() => this.rest(), REST_MS);
    return true;
  }

  async draw() {
    this.resting = false;
    const table = this.model.get("table");
    const { data, layout } = this;
    const Plotly = await loadPlotly(this.model);
    if (this.gone) return false;
    const config = { displayModeBar: false, responsive: false, doubleClick: "reset" };
    this.moving?.sharpen();
    forgetFirstRanges(this.plot);
    await Plotly.react(this.plot, data, layout, config);
    this.moving?.end();
    this.moving = new Moving(this.plot, this.movingColumns(table), layout);
    this.moving.table = table;
    this.plot.dataset.slow = this.moving.reason;
    count(this.plot, "drawn");
    return true;
  }

  // Those that follow a slider, with the number of their trace.
  movingColumns(table) {
    const moving = table.columns.filter((column) => !this.page.writes(column) && column.grid.some((size) => size > 1));
    return moving.map(({ trace, path }) => ({ trace: this.traces.get(trace) ?? null, path: pathOf(path) }));
  }

  place(table, column, row) {
    const drawn = this.drawnRows.get(column.key);
    if (drawn?.table === table && drawn.row === row) return;
    this.drawnRows.set(column.key, { table, row });
    if (this.page.writes(column)) return;
    const value = recolour(readRow(table, column, row), this.dark);
    if (column.trace === null) this.layout = withPath(this.layout, pathOf(column.path), value);
    else this.data = withPath(this.data, [this.traces.get(column.trace), ...pathOf(column.path)], value);
  }

  remove() {
    this.gone = true;
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.moving?.end();
    if (this.moving) loadPlotly(this.model).then((Plotly) => Plotly.purge(this.plot), () => {});
  }
}

// Of axes that keep to one scale Plotly remembers the first range, and goes back to it when another is asked for.
function forgetFirstRanges({ _fullLayout: full = {} }) {
  for (const name of Object.keys(full)) if (/^[xy]axis\d*$/.test(name)) delete full[name]._inputRange;
}

// Pictures are counted on the page: Plotly's ("drawn") and those of a movement ("moved").
function count(plot, kind) {
  plot.dataset[kind] = `${Number(plot.dataset[kind] ?? 0) + 1}`;
}

// ---------------------------------------------------------------- words above the panels

const TITLE = "title.text";
const SENTENCE = "sentence";
const headingPath = (k) => `annotations[${k}].text`;
const KEPT = new Set(["B", "I", "SUB", "SUP", "BR", "SPAN"]);
const MANY_STOPS = 30; // of a slider, from which on it can be moved by single ones with a finger
const MEASURED = 12; // of a table's texts, those that take most room

// Plotly's few tags as elements of the page; anything else is left out. What stands between wide gaps
// (a title, one entry of a key) keeps together where a line ends.
function written(html) {
  const lines = html.split(/<br ?\/?>/).map((line) => line.split("   ").flatMap(entry));
  return lines.flatMap((line, k) => (k ? [element("br"), ...line] : line));
}

function entry(html) {
  const parsed = element("template", { innerHTML: html }); // inert: nothing in it loads or runs
  const nodes = [...parsed.content.childNodes].flatMap(kept);
  return nodes.length ? [element("span", { className: "grda-entry" }, ...nodes), " "] : [];
}

function kept(node) {
  if (node.nodeType === Node.TEXT_NODE) return [node.data];
  const parts = [...node.childNodes].flatMap(kept);
  if (!KEPT.has(node.nodeName)) return parts;
  const copy = element(node.nodeName.toLowerCase(), {}, ...parts);
  copy.style.color = /#[0-9a-f]{6}/i.exec(node.getAttribute("style") ?? "")?.[0] ?? "";
  return [copy];
}

// All texts that a path of the layout, or the sentence, is known to have at some position.
function textsOf(model, path) {
  const tables = model.get("tables") ?? [model.get("table")]; // a stand-alone page holds every preset's
  const columns = tables.flatMap((table) => (path === SENTENCE ? table.sentence : table.columns?.find(sets(path))) ?? []);
  return [...columns.flatMap((column) => column.strings), ...(model.get("longest")?.[path] ?? [])];
}

const sets = (path) => (column) => column.trace === null && column.path === path;

function columnOf(model, path) {
  return model.get("table").columns?.find(sets(path));
}

// What stands at a path of the layout where the controls are.
function textAt(model, path) {
  const column = columnOf(model, path);
  if (column) return readRow(model.get("table"), column, rowOf(column, positionIn(model)));
  return pathOf(path).reduce((part, name) => part?.[name], model.get("figure").layout) ?? "";
}

function positionIn(model) {
  const { at } = model.get("table");
  return at ? at.map(() => 0) : model.get("index");
}

const ruler = new OffscreenCanvas(1, 1).getContext("2d");
const advances = new Map(); // a letter -> its width in pixels

function advance(letter) {
  if (!advances.has(letter)) {
    ruler.font = "14px system-ui, sans-serif";
    advances.set(letter, ruler.measureText(letter).width);
  }
  return advances.get(letter);
}

// Of these texts the ones that take most room in a line. Letters are added up: a table has thousands of
// sentences, and measuring each of them takes longer than drawing the picture.
function longest(texts) {
  const sized = [...new Set(texts)].map((text) => {
    let width = 0;
    for (const letter of text.replace(/<[^>]*>/g, "")) width += advance(letter);
    return [width, text];
  });
  return sized.sort(([a], [b]) => b - a).slice(0, MEASURED).map(([, text]) => text);
}

// How high a block becomes with the one of these texts that needs most lines, at a width in pixels.
function tallest(block, texts, width, write) {
  const twin = element(block.nodeName.toLowerCase(), { className: block.className });
  twin.setAttribute("aria-hidden", "true");
  Object.assign(twin.style, { position: "absolute", visibility: "hidden", width: `${width}px`, minHeight: "0" });
  block.parentNode.append(twin);
  const heights = longest(texts).map((text) => {
    twin.replaceChildren(...write(text));
    return text ? twin.getBoundingClientRect().height : 0;
  });
  twin.remove();
  return Math.ceil(Math.max(0, ...heights));
}

// Title and headings of the panels, which wrap, and the place that the panels have beside them.
// A block is as high as its longest text of the table, so that nothing moves while a slider does.
class Words {
  constructor(model) {
    this.model = model;
    this.meta = model.get("figure").layout?.meta ?? { panels: [] };
    this.title = element("p", { className: "grda-title" });
    this.plot = element("div", { className: "grda-plot" });
    this.headings = this.meta.panels.map(() => element("p", { className: "grda-heading" }));
    this.stage = element("div", { className: "grda-stage" }, ...this.headings, this.plot);
    this.blocks = [[TITLE, this.title], ...this.headings.map((block, k) => [headingPath(k), block])];
    this.paths = new Set(this.blocks.map(([path]) => path));
    this.shown = new Map();
    this.reserved = new Map(); // `${path} ${width}` -> pixels
    const height = model.get("figure").layout?.height ?? 380;
    this.plot.style.height = `${height}px`; // until the page's width is known
  }

  writes(column) {
    return column.trace === null && this.paths.has(column.path);
  }

  show() {
    const dark = isDark() ? this.model.get("dark") : {};
    this.stage.dataset.dark = isDark();
    for (const [path, block] of this.blocks) {
      const text = recolour(textAt(this.model, path), dark);
      if (this.shown.get(path) === text) continue;
      this.shown.set(path, text);
      block.replaceChildren(...written(text));
    }
  }

  // Pixels that the block of a path needs at this width, whatever the controls do.
  room(path, block, width) {
    const at = `${path} ${Math.round(width)}`;
    const needed = tallest(block, [textAt(this.model, path), ...textsOf(this.model, path)], width, written);
    const room = Math.max(needed, this.reserved.get(at) ?? 0); // a table of one row knows no others
    this.reserved.set(at, room);
    return room;
  }

  // A panel that others stand beside may leave its ticks to them; alone it has its own. Of words at the
  // ticks below it, as many are shown as have room.
  ticks(k, stacked, pixels) {
    const { axes } = this.meta.panels[k];
    const [x, y] = ["xaxis", "yaxis"].map((name) => this.model.get("figure").layout[name + axes] ?? {});
    const { inset, ticks } = this.meta.narrow.panels[k];
    const changes = [];
    if (inset !== undefined) changes.push([[`yaxis${axes}`, "showticklabels"], stacked || (y.showticklabels ?? true)]);
    for (const [name, value] of Object.entries(ticks ?? {}))
      changes.push([[`yaxis${axes}`, name], stacked ? value : (y[name] ?? null)]);
    if (Array.isArray(x.ticktext)) {
      ruler.font = `${x.tickfont?.size ?? 13}px system-ui, sans-serif`;
      const widest = Math.max(...x.ticktext.map((text) => ruler.measureText(text.replace(/<[^>]*>/g, "")).width));
      const every = Math.ceil((x.ticktext.filter(Boolean).length * (widest + 6)) / pixels);
      changes.push([[`xaxis${axes}`, "ticktext"], x.ticktext.map((text, at) => (at % every ? "" : text))]);
    }
    return changes;
  }

  // The changes to layout and data that put the panels between the headings.
  arrange(width) {
    const layout = this.headings.map((_, k) => [["annotations", k, "visible"], false]);
    if (!width) return { layout, data: [] };
    this.title.style.minHeight = `${this.room(TITLE, this.title, width)}px`;
    if (!this.headings.length) {
      const { height = 380, margin = {} } = this.model.get("figure").layout ?? {};
      const top = Math.min(margin.t ?? 44, 16);
      this.plot.style.height = `${height - (margin.t ?? 44) + top}px`;
      layout.push([["margin", "t"], top], [["height"], height - (margin.t ?? 44) + top]);
      return { layout: [...layout, [["width"], Math.floor(width)]], data: [] };
    }
    const stacked = width < this.meta.below;
    const { margin, panels, edges, steps } = stacked ? this.meta.narrow : this.meta.wide;
    const paper = width - margin.l - margin.r;
    const rooms = this.headings.map((block, k) => {
      const [from, to] = panels[k].heading.map((x) => margin.l + x * paper);
      const left = panels[k].inset === undefined ? from : 0;
      const right = panels[k].heading[1] === 1 ? width : to - 12;
      block.style.left = `${left}px`;
      block.style.width = `${right - left}px`;
      return this.room(headingPath(k), block, right - left);
    });
    const at = [0];
    for (const [from, to, pixels, k] of steps)
      at[to] = Math.max(at[to] ?? 0, at[from] + pixels + (k === null ? 0 : rooms[k]));
    const height = Math.ceil(at.at(-1));
    this.plot.style.height = `${height}px`;
    layout.push([["width"], Math.floor(width)], [["height"], height], [["margin"], { ...margin, t: 0, b: 0 }]);
    const data = [];
    panels.forEach(({ x: [from, to], inset = 0, outset = 0 }, k) => {
      const x = [from + inset / paper, to - outset / paper];
      const [top, bottom] = edges[k].map((edge) => at[edge]);
      this.headings[k].style.bottom = `${height - top + HEADING_GAP}px`;
      const y = [1 - bottom / height, 1 - top / height];
      const { axes, bars } = this.meta.panels[k];
      if (axes.startsWith("scene")) layout.push([[axes, "domain"], { x, y }]);
      else {
        layout.push([[`xaxis${axes}`, "domain"], x], [[`yaxis${axes}`, "domain"], y]);
        layout.push(...this.ticks(k, stacked, (x[1] - x[0]) * paper));
      }
      for (const bar of bars) {
        const place = { y: (y[0] + y[1]) / 2, yanchor: "middle", lenmode: "fraction", len: y[1] - y[0] };
        if (stacked) place.x = x[1] + 0.01;
        for (const [name, value] of Object.entries(place)) data.push([bar, ["colorbar", name], value]);
      }
    });
    return { layout, data };
  }
}

// ---------------------------------------------------------------- the controls

const element = (tag, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
};

// One counter a page: every figure loads this module anew.
const COUNTER = "__grda_edu_made__";
const newId = (what) => `grda-${what}-${(globalThis[COUNTER] = (globalThis[COUNTER] ?? 0) + 1)}`;

// A notebook's shortcut handler would swallow the keys of a native slider or drop-down.
// `up` is where the up arrow goes: forward on a slider, back in a list.
function answerKeys(input, last, up, move) {
  input.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = Number(input.value);
    const leap = Math.max(1, Math.round(last / 10));
    const to = {
      ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at + up, ArrowDown: at - up,
      PageUp: at + up * leap, PageDown: at - up * leap, Home: 0, End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(Math.min(last, Math.max(0, to)));
  });
}

function slider(state, axis, control) {
  const id = newId("slider");
  const last = control.texts.length - 1;
  const input = element("input", { id, type: "range", min: 0, max: last, step: 1 });
  const readout = element("output", { htmlFor: id });
  readout.setAttribute("aria-hidden", "true"); // the slider's own value text says the same
  const longest = Math.max(...control.texts.map((text) => text.length));
  readout.style.width = `${Math.min(16, longest + 1)}ch`; // or the slider's length would follow its value
  input.addEventListener("input", () => state.move(axis, Number(input.value)));
  // A finger that scrolls the page from here has moved the slider by its touch alone.
  let touched = 0;
  input.addEventListener("pointerdown", () => (touched = state.index()[axis]));
  input.addEventListener("pointercancel", () => state.move(axis, touched));
  answerKeys(input, last, 1, (to) => state.move(axis, to));
  const box = element("div", { className: "grda-control" });
  box.dataset.control = control.name;
  const label = element("label", { htmlFor: id, textContent: control.label });
  if (last < MANY_STOPS) box.append(label, input, readout);
  else box.append(label, stepper(state, axis, control, last, -1), input, stepper(state, axis, control, last, 1), readout);
  const player = control.play ? playButton(state, axis, control, last) : null;
  if (player) box.prepend(player.button);
  const show = () => {
    const at = state.index()[axis];
    input.value = at;
    readout.textContent = control.texts[at];
    input.setAttribute("aria-valuetext", control.texts[at]); // its label is read with it
  };
  return { box, show, stop: () => player?.stop() };
}

// For fingers, to which one stop of many is less than a pixel; keys do the same.
function stepper(state, axis, control, last, by) {
  const button = element("button", { type: "button", className: "grda-step", textContent: by < 0 ? "−" : "+", tabIndex: -1 });
  button.setAttribute("aria-label", `${by < 0 ? "Less" : "More"} ${control.label}`);
  button.addEventListener("click", () => state.move(axis, Math.min(last, Math.max(0, state.index()[axis] + by))));
  return button;
}

function playButton(state, axis, control, last) {
  const button = element("button", { type: "button", className: "grda-play" });
  let timer = 0;
  const face = (playing) => {
    button.textContent = playing ? "❚❚" : "▶";
    button.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${control.label}`);
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    face(false);
  };
  let hop = 1;
  const tick = () => {
    const at = state.index()[axis];
    if (at >= last) stop();
    else state.play(axis, Math.min(last, at + hop));
  };
  button.addEventListener("click", () => {
    if (timer) return stop();
    // Who asked for less motion sees single pictures, with time to look at each.
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    hop = still ? Math.ceil(last / STILL_PICTURES) : 1;
    state.move(axis, state.index()[axis] >= last ? 0 : state.index()[axis]);
    timer = setInterval(tick, still ? STILL_MS : Math.max(1000 / 60, (1000 * control.seconds) / Math.max(1, last)));
    face(true);
  });
  face(false);
  return { button, stop };
}

function dropDown(state, choice) {
  const id = newId("choice");
  const select = element("select", { id });
  choice.options.forEach((text, i) => select.append(element("option", { value: i, textContent: text })));
  select.addEventListener("change", () => state.choose(Number(select.value)));
  answerKeys(select, choice.options.length - 1, -1, (to) => state.choose(to));
  const box = element("div", { className: "grda-control grda-choice" });
  box.dataset.control = choice.name;
  box.append(element("label", { htmlFor: id, textContent: choice.label }), select);
  return { box, show: () => (select.value = state.option()), stop() {} };
}

// A kernel that is gone is sent nothing; where the page cannot know (Colab), the host decides.
function kernelListens(model) {
  const { kernel } = model.widget_manager ?? {};
  if (kernel === undefined) return true;
  if (!kernel || kernel.isDisposed || kernel.connectionStatus === "disconnected") return false;
  return !["dead", "terminating"].includes(kernel.status);
}

// Other pages (a second tab on the same kernel) have models of their own, which follow what the
// kernel heard last; all but the page whose learner has moved on since, whose own word is on its way.
function initialize({ model }) {
  let answered = model.get("hand")?.move ?? 0;
  const follow = () => {
    const { index, option, hand } = model.get("heard");
    const mine = model.get("hand");
    if (hand.page === PAGE) answered = Math.max(answered, hand.move);
    if (mine.page === PAGE && mine.move > answered) return;
    model.set("option", option);
    model.set("index", index);
  };
  model.on("change:heard", follow);
  return () => {
    model.off("change:heard", follow);
    // The host keeps a model that the kernel has closed; what is large in it is let go.
    for (const large of [model.get("table"), model.get("longest"), model.get("figure")])
      for (const key of Object.keys(large)) delete large[key];
  };
}

// What the sliders say, shared by all views of one model; the kernel hears of it now and then.
// `rest` is called when the learner moves a control: what plays stops.
function stateOf(model, rest) {
  let timer = 0;
  let last = 0;
  const tell = () => {
    const { page, move } = model.get("hand") ?? {};
    model.set("hand", { page: PAGE, move: page === PAGE ? move + 1 : 1 });
    if (timer) return;
    const wait = Math.max(0, last + KERNEL_INTERVAL_MS - performance.now());
    timer = setTimeout(() => {
      timer = 0;
      last = performance.now();
      if (kernelListens(model)) model.save_changes();
    }, wait);
  };
  return {
    index: () => model.get("index"),
    option: () => model.get("option"),
    move(axis, to) {
      rest();
      this.play(axis, to);
    },
    moveTo(index) {
      rest();
      if (index.every((to, axis) => to === model.get("index")[axis])) return;
      model.set("index", [...index]);
      tell();
    },
    play(axis, to) {
      const index = [...model.get("index")];
      if (index[axis] === to) return;
      index[axis] = to;
      model.set("index", index);
      tell();
    },
    choose(option) {
      rest();
      model.set("option", option);
      tell();
    },
    reset() {
      rest();
      model.set("index", [...model.get("start")]);
      tell();
    },
  };
}

// ---------------------------------------------------------------- the view

// Is the table on the page the one that the controls ask for?
function upToDate(model) {
  const table = model.get("table");
  if (!table.columns && !model.get("error")) return false; // none has ever come
  if ((table.option ?? 0) !== model.get("option")) return false;
  return !table.at || table.at.every((at, axis) => at === model.get("index")[axis]);
}

function sentenceOf(model) {
  const table = model.get("table");
  if (!table.columns) return "";
  return readRow(table, table.sentence, rowOf(table.sentence, positionIn(model)));
}

function whyNothing(model) {
  const why = kernelListens(model) ? "it is busy or no longer running" : "it is no longer running";
  if (model.get("table").columns)
    return `The kernel has not answered yet: ${why}. The picture is the last one it sent.`;
  return `Nothing has come from the kernel yet: ${why}. Wait while it is busy, else run the cell again.`;
}

function sentenceBlock(model) {
  const id = newId("sentence");
  const sentence = element("p", { id, className: "grda-sentence" });
  const spoken = element("p", { className: "grda-spoken" });
  spoken.setAttribute("role", "status");
  spoken.setAttribute("aria-live", "polite");
  const status = element("p", { className: "grda-status", hidden: true });
  let speak = 0;
  let slow = 0;
  const say = (text) => {
    if (sentence.textContent === text) return;
    sentence.textContent = text;
    clearTimeout(speak);
    speak = setTimeout(() => (spoken.textContent = text), SPOKEN_AFTER_MS);
  };
  const report = (text) => {
    status.textContent = text;
    status.hidden = !text;
    status.classList.toggle("grda-nothing", !model.get("table").columns);
  };
  const show = () => {
    clearTimeout(slow);
    const busy = !upToDate(model);
    sentence.classList.toggle("grda-old", busy);
    report(busy ? "Computing …" : "");
    if (busy) slow = setTimeout(() => report(whyNothing(model)), SLOW_ANSWER_MS);
    say(sentenceOf(model));
  };
  let highest = [0, 0]; // at which width, how high
  const reserve = (width) => {
    if (!width) return;
    const needed = tallest(sentence, textsOf(model, SENTENCE), width, (text) => [text]);
    const before = highest[0] === width ? highest[1] : 0;
    highest = [width, Math.max(needed, before)];
    sentence.style.minHeight = `${highest[1]}px`;
  };
  const stop = () => [speak, slow].forEach(clearTimeout);
  return { nodes: [sentence, spoken], status, id, show, reserve, stop };
}

function controlRow(model, lookAgain) {
  const stop = () => parts.forEach((part) => part.stop());
  const state = stateOf(model, stop);
  const parts = model.get("controls").map((control, axis) => slider(state, axis, control));
  const choice = model.get("choice");
  if (choice.options) parts.unshift(dropDown(state, choice));
  const row = element("div", { className: "grda-controls" }, ...parts.map((part) => part.box));
  if (parts.length) {
    const reset = element("button", { type: "button", className: "grda-reset", textContent: "Reset" });
    reset.addEventListener("click", () => {
      state.reset();
      lookAgain();
    });
    row.append(reset);
  }
  return {
    row,
    state,
    show: () => parts.forEach((part) => part.show()),
    stop,
  };
}

// The line that stands for the figure in a notebook opened without a kernel is not needed now.
function hideFallback(model) {
  const name = model.get("fallback");
  return element("style", { textContent: name ? `.${name} { display: none; }` : "" });
}

// JupyterLab guesses the heights of cells that it has not drawn, and the page jumps when it learns
// them. A notebook with figures is laid out as a whole.
const layOutWhole = (el) => el.closest(".jp-Notebook")?.classList.add("grda-notebook");

function render({ model, el }) {
  const root = element("div", { className: "grda-figure" });
  root.dataset.lmSuppressShortcuts = "true"; // keys typed here are not the notebook's shortcuts
  const page = new Words(model);
  const { plot, stage } = page;
  const problem = element("pre", { className: "grda-problem", hidden: true });
  problem.setAttribute("role", "alert");
  const text = sentenceBlock(model);
  const controls = controlRow(model, () => canvas.lookAgain());
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", model.get("label"));
  plot.setAttribute("aria-describedby", text.id);
  stage.append(text.status); // over the picture: it comes and goes, and nothing may move
  const goals = goalBox(model);
  const handles = handleLayer(model, stage, plot, controls.state);
  root.append(hideFallback(model), controls.row, goals.box, problem, page.title, stage, ...text.nodes);
  const code = codeBlock(model, controls.row);
  root.append(code.box);
  const veil = veilOver(model, root);
  el.append(root);
  // A scene in space would take the wheel for itself; it belongs to the page.
  plot.addEventListener("wheel", (event) => event.stopPropagation(), { capture: true });

  let broken = ""; // what went wrong on the page itself
  const showError = () => {
    problem.textContent = model.get("error") || broken;
    problem.hidden = !problem.textContent;
    stage.hidden = page.title.hidden = !problem.hidden;
  };
  const fail = (error) => {
    broken = `This figure could not be drawn: ${error}. Reload the page and run the cell again.`;
    showError();
  };
  const canvas = new Canvas(model, plot, page, fail);
  const refresh = () => {
    broken = "";
    controls.show();
    page.show();
    text.show();
    goals.show();
    handles.show();
    code.show();
    showError();
    canvas.request();
  };
  const restyle = () => {
    page.show();
    canvas.restyle();
  };
  const retable = () => {
    text.reserve(canvas.width);
    canvas.arrange();
  };
  const events = ["change:index", "change:option", "change:table", "change:error"];
  events.forEach((name) => model.on(name, refresh));
  model.on("change:table", retable);
  model.on("change:figure", restyle);
  model.on("change:reached", goals.show);
  const sizes = new ResizeObserver(([{ contentRect }]) => {
    layOutWhole(el);
    text.reserve(contentRect.width);
    canvas.resize(contentRect.width);
  });
  sizes.observe(stage);
  const themes = new MutationObserver(restyle);
  const attributes = ["data-jp-theme-light", "data-vscode-theme-kind", "data-theme", "theme"];
  for (const node of [document.body, document.documentElement])
    themes.observe(node, { attributes: true, attributeFilter: attributes });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", restyle);
  const attached = requestAnimationFrame(() => layOutWhole(el));
  loadPlotly(model).catch(fail);
  refresh();

  return () => {
    events.forEach((name) => model.off(name, refresh));
    model.off("change:table", retable);
    model.off("change:figure", restyle);
    model.off("change:reached", goals.show);
    scheme.removeEventListener("change", restyle);
    cancelAnimationFrame(attached);
    sizes.disconnect();
    themes.disconnect();
    controls.stop();
    text.stop();
    goals.stop();
    handles.stop();
    veil.stop();
    canvas.remove();
    el.replaceChildren(); // the host keeps the emptied view's element for as long as the page lives
  };
}

export default { initialize, render };
