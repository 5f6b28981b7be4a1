// Draws a figure and plays a table that Python computed. It knows no mathematics: only that
// row k of a column goes to an attribute of a trace, or to a path of the layout.
// The same module runs in a notebook (anywidget's model) and in a stand-alone page (a plain object
// with the same five methods).

const LOADED = "__grda_edu_plotly__"; // one library a page, whoever asks first
const KERNEL_INTERVAL_MS = 200; // at most five messages a second to the kernel
const SPOKEN_AFTER_MS = 300; // a screen reader hears the sentence once the slider rests
const SLOW_ANSWER_MS = 4000;
const PLAY_MS = 9000; // a whole range, played

function loadPlotly(model) {
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
  constructor(model, plot, fail) {
    Object.assign(this, { model, plot, fail, frame: 0, width: 0, drawnRows: new Map() });
    this.restyle();
  }

  restyle() {
    const { data, layout } = this.model.get("figure");
    const dark = isDark() ? this.model.get("dark") : {};
    this.dark = dark;
    this.data = recolour(data, dark);
    this.layout = { ...recolour(layout, dark), autosize: false, uirevision: "keep" };
    this.traces = new Map(this.data.map((trace, i) => [trace.name, i]));
    this.drawnRows.clear();
    this.request();
  }

  resize(width) {
    if (!width || Math.abs(width - this.width) < 1) return; // hidden, or nothing new
    this.width = width;
    this.request();
  }

  request() {
    this.wanted = true;
    this.plot.dataset.state = "waiting";
    if (!this.drawing) this.frame ||= requestAnimationFrame(() => this.answer());
  }

  // At most one drawing at a time; what was asked for meanwhile is drawn next, the latest only.
  async answer() {
    this.frame = 0;
    this.wanted = false;
    this.drawing = true;
    try {
      const drew = await this.draw();
      if (drew) this.plot.dataset.drawn = `${Number(this.plot.dataset.drawn ?? 0) + 1}`;
      if (drew && !this.wanted) this.plot.dataset.state = "drawn";
    } catch (error) {
      this.plot.dataset.state = "failed";
      this.fail(error);
    }
    this.drawing = false;
    if (this.wanted && !this.gone) this.request();
  }

  async draw() {
    const table = this.model.get("table");
    if (!this.width || !table.columns) return false;
    const position = table.at ? table.at.map(() => 0) : this.model.get("index");
    for (const column of table.columns) this.place(table, column, rowOf(column, position));
    this.layout = { ...this.layout, width: Math.floor(this.width) };
    const Plotly = await loadPlotly(this.model);
    if (this.gone) return false;
    const config = { displayModeBar: false, responsive: false, doubleClick: "reset" };
    await Plotly.react(this.plot, this.data, this.layout, config);
    return true;
  }

  place(table, column, row) {
    const drawn = this.drawnRows.get(column.key);
    if (drawn?.table === table && drawn.row === row) return;
    this.drawnRows.set(column.key, { table, row });
    const value = recolour(readRow(table, column, row), this.dark);
    if (column.trace === null) this.layout = withPath(this.layout, pathOf(column.path), value);
    else this.data = withPath(this.data, [this.traces.get(column.trace), ...pathOf(column.path)], value);
  }

  remove() {
    this.gone = true;
    cancelAnimationFrame(this.frame);
    globalThis[LOADED]?.then((Plotly) => Plotly.purge(this.plot), () => {});
  }
}

// ---------------------------------------------------------------- the controls

const element = (tag, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
};

let made = 0;

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
  const id = `grda-slider-${++made}`;
  const last = control.texts.length - 1;
  const input = element("input", { id, type: "range", min: 0, max: last, step: 1 });
  const readout = element("output", { htmlFor: id });
  const longest = Math.max(...control.texts.map((text) => text.length));
  readout.style.width = `${Math.min(16, longest + 1)}ch`; // or the slider's length would follow its value
  input.addEventListener("input", () => state.move(axis, Number(input.value)));
  answerKeys(input, last, 1, (to) => state.move(axis, to));
  const box = element("div", { className: "grda-control" });
  box.dataset.control = control.name;
  box.append(element("label", { htmlFor: id, textContent: control.label }), input, readout);
  const player = control.play ? playButton(state, axis, control, last) : null;
  if (player) box.prepend(player.button);
  const show = () => {
    const at = state.index()[axis];
    input.value = at;
    readout.textContent = control.texts[at];
    input.setAttribute("aria-valuetext", `${control.label} = ${control.texts[at]}`);
  };
  return { box, show, stop: () => player?.stop() };
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
  const tick = () => {
    const at = state.index()[axis];
    if (at >= last) stop();
    else state.play(axis, at + 1);
  };
  button.addEventListener("click", () => {
    if (timer) return stop();
    state.move(axis, state.index()[axis] >= last ? 0 : state.index()[axis]);
    timer = setInterval(tick, Math.max(40, PLAY_MS / Math.max(1, last)));
    face(true);
  });
  face(false);
  return { button, stop };
}

function dropDown(state, choice) {
  const id = `grda-choice-${++made}`;
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

// What the sliders say, shared by all views of one model; the kernel hears of it now and then.
// `rest` is called when the learner moves a control: what plays stops.
function stateOf(model, rest) {
  let timer = 0;
  let last = 0;
  const tell = () => {
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
  if ((table.option ?? 0) !== model.get("option")) return false;
  return !table.at || table.at.every((at, axis) => at === model.get("index")[axis]);
}

function sentenceOf(model) {
  const table = model.get("table");
  if (!table.columns) return "";
  const position = table.at ? table.at.map(() => 0) : model.get("index");
  return readRow(table, table.sentence, rowOf(table.sentence, position));
}

function words(model) {
  const id = `grda-sentence-${++made}`;
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
  };
  const show = () => {
    clearTimeout(slow);
    const busy = !upToDate(model);
    sentence.classList.toggle("grda-old", busy);
    report(busy ? "Computing …" : "");
    if (busy) {
      const text = "The kernel has not answered yet: it is busy or no longer running. The picture is the last one it sent.";
      slow = setTimeout(() => report(text), SLOW_ANSWER_MS);
    }
    say(sentenceOf(model));
  };
  const stop = () => [speak, slow].forEach(clearTimeout);
  return { nodes: [sentence, status, spoken], id, show, stop };
}

function controlRow(model) {
  const stop = () => parts.forEach((part) => part.stop());
  const state = stateOf(model, stop);
  const parts = model.get("controls").map((control, axis) => slider(state, axis, control));
  const choice = model.get("choice");
  if (choice.options) parts.unshift(dropDown(state, choice));
  const row = element("div", { className: "grda-controls" }, ...parts.map((part) => part.box));
  if (parts.length) {
    const reset = element("button", { type: "button", className: "grda-reset", textContent: "Reset" });
    reset.addEventListener("click", () => state.reset());
    row.append(reset);
  }
  return {
    row,
    show: () => parts.forEach((part) => part.show()),
    stop,
  };
}

// The line that stands for the figure in a notebook opened without a kernel is not needed now.
function hideFallback(model) {
  const name = model.get("fallback");
  return element("style", { textContent: name ? `.${name} { display: none; }` : "" });
}

function render({ model, el }) {
  const root = element("div", { className: "grda-figure" });
  root.dataset.lmSuppressShortcuts = "true"; // keys typed here are not the notebook's shortcuts
  const plot = element("div", { className: "grda-plot" });
  const problem = element("pre", { className: "grda-problem", hidden: true });
  problem.setAttribute("role", "alert");
  const text = words(model);
  const controls = controlRow(model);
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", model.get("label"));
  plot.setAttribute("aria-describedby", text.id);
  root.append(hideFallback(model), controls.row, problem, plot, ...text.nodes);
  el.append(root);
  plot.style.minHeight = `${model.get("figure").layout?.height ?? 380}px`;

  let broken = ""; // what went wrong on the page itself
  const showError = () => {
    problem.textContent = model.get("error") || broken;
    problem.hidden = !problem.textContent;
    plot.hidden = !problem.hidden;
  };
  const fail = (error) => {
    broken = `This figure could not be drawn: ${error}. Reload the page and run the cell again.`;
    showError();
  };
  const canvas = new Canvas(model, plot, fail);
  const refresh = () => {
    broken = "";
    controls.show();
    text.show();
    showError();
    canvas.request();
  };
  const restyle = () => canvas.restyle();
  const events = ["change:index", "change:option", "change:table", "change:error"];
  events.forEach((name) => model.on(name, refresh));
  model.on("change:figure", restyle);
  const sizes = new ResizeObserver(([entry]) => canvas.resize(entry.contentRect.width));
  sizes.observe(plot);
  const themes = new MutationObserver(restyle);
  const attributes = ["data-jp-theme-light", "data-vscode-theme-kind", "theme"];
  for (const node of [document.body, document.documentElement])
    themes.observe(node, { attributes: true, attributeFilter: attributes });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", restyle);
  loadPlotly(model).catch(fail);
  refresh();

  return () => {
    events.forEach((name) => model.off(name, refresh));
    model.off("change:figure", restyle);
    scheme.removeEventListener("change", restyle);
    sizes.disconnect();
    themes.disconnect();
    controls.stop();
    text.stop();
    canvas.remove();
  };
}

export default { render };
