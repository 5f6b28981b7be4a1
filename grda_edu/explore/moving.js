// Draws what moves while a hand moves a control: on a canvas that lies between Plotly's layers, with
// Plotly's own scales and defaults. Plotly takes 30 to 250 ms for a picture; it draws the one on which
// the hand rests. Drawn here is what figures of this course move, after Plotly's rules; whatever else
// moves, `Moving.reason` names it and Plotly draws every picture.

const SYMBOLS = { // of radius 1
  circle: "M1,0A1,1 0 1,1 0,-1A1,1 0 0,1 1,0Z",
  square: "M1,1H-1V-1H1Z",
  diamond: "M1.3,0L0,1.3L-1.3,0L0,-1.3Z",
  cross: "M1.2,.4H.4V1.2H-.4V.4H-1.2V-.4H-.4V-1.2H.4V-.4H1.2Z",
  x: "M0,.566l.566,.566l.566,-.566l-.566,-.566l.566,-.566l-.566,-.566l-.566,.566l-.566,-.566l-.566,.566l.566,.566l-.566,.566l.566,.566Z",
  "triangle-up": "M-1.155,.5H1.155L0,-1Z",
  "triangle-down": "M-1.155,-.5H1.155L0,1Z",
  pentagon: "M.951,-.309L.588,.809H-.588L-.951,-.309L0,-1Z",
  star: "M.315,-.433H1.331L.508,.165L.823,1.133L0,.535L-.823,1.133L-.508,.165L-1.331,-.433H-.315L0,-1.4Z",
  "star-diamond": "M-1.4,0A1.9,1.9 0 0 1 0,1.4A1.9,1.9 0 0 1 1.4,0A1.9,1.9 0 0 1 0,-1.4A1.9,1.9 0 0 1 -1.4,0Z",
  "line-ew": "M1.4,0H-1.4",
  "line-ns": "M0,1.4V-1.4",
  arrow: "M0,0L-.618,1.902H.618Z",
};
const DASHES = { // in units of the width, of which Plotly takes no less than 3 pixels
  solid: [], dot: [1, 1], dash: [3, 3], longdash: [5, 5], dashdot: [3, 1, 1, 1], longdashdot: [5, 2, 1, 2],
};
const LAYERS = ["heatmap", "contour", "bar", "scatter"]; // from below, whatever the order of the traces
const MOVABLE = {
  scatter: /^(x|y|text|textposition|fillcolor|line\.(color|dash|width)|marker\.(color|symbol|size|opacity|line\.(color|width)))$/,
  bar: /^(x|y|text|marker\.color)$/,
  heatmap: /^z$/,
  scatter3d: /^[xyz]$/,
  mesh3d: /^[xyz]$/,
  layout: /^(annotations\.\d+\.(x|y|text)|shapes\.\d+\.[xy][01]|[xy]axis\d*\.range)$/,
};
const LINE_SPACING = 1.3; // Plotly's
const BAR_PAD = 3;

const listed = (value) => Array.isArray(value) || ArrayBuffer.isView(value);
const item = (value, i) => (listed(value) ? value[i] : value);
const valueAt = (object, path) => path.reduce((found, key) => found?.[key], object);

// ---------------------------------------------------------------- words

const SPOKEN = { b: { bold: true }, i: { italic: true }, sub: { size: 0.7, rise: 0.21 }, sup: { size: 0.7, rise: -0.42 } };
const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": "\u00a0" };

// The lines of a text in Plotly's markup, each as runs of one look.
function runsOf(markup) {
  const lines = [[]];
  const looks = [{}];
  for (const part of String(markup).split(/(<[^>]*>)/)) {
    const [, closing, tag, rest] = part.match(/^<(\/?)(\w+)([^>]*)>$/) ?? [];
    if (tag === "br") lines.push([]);
    else if (closing) looks.pop();
    else if (tag) looks.push({ ...looks.at(-1), ...SPOKEN[tag], ...(/color:\s*(?<color>[^;"']+)/.exec(rest)?.groups) });
    else if (part) lines.at(-1).push({ ...looks.at(-1), text: part.replace(/&\w+;/g, (entity) => ENTITIES[entity] ?? entity) });
  }
  return lines;
}

// A text that knows its size: `draw` puts the first line's base at y.
function wordsOf(pen, markup, font) {
  const fontOf = ({ bold, italic, size = 1 }) =>
    `${italic ? "italic" : font.style ?? "normal"} ${bold ? "bold" : font.weight ?? "normal"} ${size * font.size}px ${font.family}`;
  const widthOf = (run) => {
    pen.font = fontOf(run);
    return pen.measureText(run.text).width;
  };
  const lines = runsOf(markup);
  const widths = lines.map((runs) => runs.reduce((sum, run) => sum + widthOf(run), 0));
  pen.font = fontOf({});
  const { fontBoundingBoxAscent, fontBoundingBoxDescent: below } = pen.measureText("");
  const above = Math.max(...lines[0].map(({ size = 1, rise = 0 }) => size * fontBoundingBoxAscent - rise * font.size));
  const step = LINE_SPACING * font.size;
  return {
    above, below, lines: lines.length,
    width: Math.max(...widths),
    height: above + below + (lines.length - 1) * step,
    draw(x, y, align) { // align: 0 from x, 0.5 around x, 1 up to x
      lines.forEach((runs, k) => {
        let left = x - align * widths[k];
        for (const run of runs) {
          pen.font = fontOf(run);
          pen.fillStyle = run.color ?? font.color;
          pen.fillText(run.text, left, y + k * step + (run.rise ?? 0) * font.size);
          left += pen.measureText(run.text).width;
        }
      });
    },
  };
}

// ---------------------------------------------------------------- traces

// Pixels along an axis. Plotly lets a line leave a logarithmic axis at zero, and leaves out a marker.
function pixels(axis, values, count, clip) {
  const number = axis.type === "category" ? axis.d2l_noadd : Number;
  const found = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const value = number(values ? values[i] : i);
    found[i] = axis.c2p(value) ?? (clip && axis.type === "log" ? axis.c2p(value, true) : NaN) ?? NaN;
  }
  return found;
}

// Pieces of a line lie one over another; a single line does not.
const broken = ({ x, y }) => [x, y].some((values) => values?.some(Number.isNaN));

function setLine(pen, { color, width, dash }) {
  pen.strokeStyle = color;
  pen.lineWidth = width;
  pen.setLineDash(DASHES[dash ?? "solid"].map((part) => part * Math.max(width, 3)));
}

// A line through the points, broken where one is missing; `start` begins each piece.
function trail(pen, xs, ys, shape, start = (x, y) => pen.moveTo(x, y)) {
  let i = 0;
  let down = false;
  const corner = {
    hv: (x, y, lastX, lastY) => pen.lineTo(x, lastY),
    vh: (x, y, lastX) => pen.lineTo(lastX, y),
    hvh: (x, y, lastX, lastY) => {
      pen.lineTo((lastX + x) / 2, lastY);
      pen.lineTo((lastX + x) / 2, y);
    },
  }[shape];
  for (; i < xs.length; i++) {
    if (Number.isNaN(xs[i]) || Number.isNaN(ys[i])) {
      down = false;
      continue;
    }
    if (down) {
      corner?.(xs[i], ys[i], xs[i - 1], ys[i - 1]);
      pen.lineTo(xs[i], ys[i]);
    } else start(xs[i], ys[i]);
    down = true;
  }
}

function fillBetween(pen, one, other, color) {
  const back = (values) => Float64Array.from(values).reverse();
  pen.beginPath();
  trail(pen, one.xs, one.ys);
  trail(pen, back(other.xs), back(other.ys), "linear", (x, y) => pen.lineTo(x, y));
  pen.fillStyle = color;
  pen.fill();
}

function fillInside(pen, { xs, ys }, color) {
  pen.beginPath();
  trail(pen, xs, ys, "linear", (x, y) => {
    pen.closePath();
    pen.moveTo(x, y);
  });
  pen.fillStyle = color;
  pen.fill("evenodd");
}

const units = Object.fromEntries(Object.entries(SYMBOLS).map(([name, d]) => [name, new Path2D(d)]));

function addSymbol(path, name, r, x, y, angle) {
  if (name === "circle") {
    path.moveTo(x + r, y);
    path.arc(x, y, r, 0, 2 * Math.PI);
    return;
  }
  const [cos, sin] = [r * Math.cos(angle), r * Math.sin(angle)];
  path.addPath(units[name], { a: cos, b: sin, c: -sin, d: cos, e: x, f: y });
}

// Markers of one look are one path; else each is drawn by itself, so that the later lies above.
function markers(pen, marker, xs, ys) {
  const { symbol, size, color, opacity, line = {}, angleref } = marker;
  const alpha = pen.globalAlpha;
  const each = [symbol, size, color, opacity, line.color, line.width].some(listed) ||
    opacity < 1 || (line.width > 0 && !symbol.endsWith("-open"));
  let path = new Path2D();
  const put = (i) => {
    const open = item(symbol, i).endsWith("-open");
    const width = item(line.width, i) ?? 0;
    pen.globalAlpha = alpha * (item(opacity, i) ?? 1);
    pen.fillStyle = pen.strokeStyle = item(color, i);
    if (!open) pen.fill(path);
    if (!open && width) pen.strokeStyle = item(line.color, i);
    if (open || width) {
      pen.lineWidth = width || 1;
      pen.setLineDash([]);
      pen.stroke(path);
    }
  };
  for (let i = 0; i < xs.length; i++) {
    const r = item(size, i) / 2;
    if (!(r > 0) || Number.isNaN(xs[i]) || Number.isNaN(ys[i])) continue;
    let angle = 0;
    if (angleref === "previous") {
      if (i === 0) continue;
      angle = Math.atan2(ys[i] - ys[i - 1], xs[i] - xs[i - 1]) + Math.PI / 2;
    }
    if (each) path = new Path2D();
    addSymbol(path, item(symbol, i).replace("-open", ""), r, xs[i], ys[i], angle);
    if (each) put(i);
  }
  if (!each) put(0);
  pen.globalAlpha = alpha;
}

const SIGNS = { top: -1, middle: 0, bottom: 1 };

function labels(pen, trace, xs, ys) {
  const { textfont, textposition, marker } = trace;
  for (let i = 0; i < xs.length; i++) {
    const text = item(trace.text, i);
    if (!text || Number.isNaN(xs[i]) || Number.isNaN(ys[i])) continue;
    const font = Object.fromEntries(Object.entries(textfont).map(([key, value]) => [key, item(value, i)]));
    const words = wordsOf(pen, text, font);
    const [upright, level] = item(textposition, i).split(" ");
    const r = trace.mode.includes("markers") ? item(marker.size, i) / 1.6 + 1 : 0;
    const align = { left: 1, center: 0.5, right: 0 }[level];
    const tall = (words.lines - 1) * LINE_SPACING + 1;
    const down = font.size * 0.75 + SIGNS[upright] * r + ((SIGNS[upright] - 1) * tall * font.size) / 2;
    words.draw(xs[i] + (1 - 2 * align) * r, ys[i] + down, align);
  }
}

// The end of a line draws back from under an arrow's tip.
function shortened({ xs, ys }, { symbol, size, angleref }) {
  const last = xs.length - 1;
  if (angleref !== "previous" || last < 1 || item(symbol, last) !== "arrow") return { xs, ys };
  const [dx, dy] = [xs[last] - xs[last - 1], ys[last] - ys[last - 1]];
  const left = Math.max(0, 1 - (0.9 * item(size, last)) / Math.hypot(dx, dy));
  xs[last] = xs[last - 1] + left * dx;
  ys[last] = ys[last - 1] + left * dy;
  return { xs, ys };
}

function routeOf(trace, xa, ya, clip) {
  const count = Math.min(...[trace.x, trace.y].filter(Boolean).map((values) => values.length));
  return { xs: pixels(xa, trace.x, count, clip), ys: pixels(ya, trace.y, count, clip) };
}

function scatter(pen, trace, { xa, ya, next }) {
  const mode = trace.mode ?? "";
  const route = routeOf(trace, xa, ya, true);
  if (trace.fill === "toself") fillInside(pen, route, trace.fillcolor);
  if (next?.fill === "tonexty") fillBetween(pen, route, routeOf(next, xa, ya, true), next.fillcolor);
  if (mode.includes("lines")) {
    const { xs, ys } = mode.includes("markers") ? shortened(routeOf(trace, xa, ya, true), trace.marker) : route;
    pen.beginPath();
    trail(pen, xs, ys, trace.line.shape);
    setLine(pen, trace.line);
    pen.stroke();
  }
  if (!/markers|text/.test(mode)) return;
  const { xs, ys } = routeOf(trace, xa, ya, false);
  if (mode.includes("markers")) markers(pen, trace.marker, xs, ys);
  if (mode.includes("text")) labels(pen, trace, xs, ys);
}

function bar(pen, trace, { xa, ya, calc }) {
  const level = trace.orientation === "h";
  const [along, across] = level ? [xa, ya] : [ya, xa];
  const ends = level ? trace.x : trace.y;
  // Plotly gives thin bars whole pixels.
  const widen = (v, other) => (Math.abs(v - other) >= 2 ? v : v > other ? Math.ceil(v) : Math.floor(v));
  for (let i = 0; i < ends.length; i++) {
    const from = along.c2p(0, true);
    const to = along.c2p(Number(ends[i]), true);
    const [low, high] = [across.c2p(calc[i].p0, true), across.c2p(calc[i].p1, true)];
    if (to === undefined || low === undefined) continue;
    const [a, c] = [widen(low, high), widen(high, widen(low, high))];
    const [b, d] = from === to ? [from, to] : [widen(from, to), widen(to, widen(from, to))];
    pen.fillStyle = item(trace.marker.color, i);
    if (level) pen.fillRect(b, a, d - b, c - a);
    else pen.fillRect(a, b, c - a, d - b);
    const text = item(trace.text, i);
    if (text && item(trace.textposition, i) === "outside") barText(pen, trace.outsidetextfont, text, level, a, c, b, d);
  }
}

// A bar's number beyond its end, shrunk where the bar is thinner.
function barText(pen, font, text, level, low, high, from, to) {
  const words = wordsOf(pen, text, font);
  const room = Math.abs(high - low);
  const pad = room > 2 * BAR_PAD ? BAR_PAD : 0;
  const scale = Math.min(1, room / (level ? words.height : words.width));
  const away = to < from || (!level && to === from) ? -1 : 1;
  pen.save();
  if (level) pen.translate(to + away * (pad + (scale * words.width) / 2), (low + high) / 2);
  else pen.translate((low + high) / 2, to + away * (pad + (scale * words.height) / 2));
  pen.scale(scale, scale);
  words.draw(0, words.above - words.height / 2, 0.5);
  pen.restore();
}

const STEPS = 1023;

function scaleOf({ colorscale, reversescale }) {
  const stops = colorscale.map(([at, color]) => [at, color.match(/^#/) ? color.match(/\w\w/g).map((hex) => parseInt(hex, 16)) : color.match(/[\d.]+/g).map(Number)]);
  return Array.from({ length: STEPS + 1 }, (_, i) => {
    const at = reversescale ? 1 - i / STEPS : i / STEPS;
    const k = Math.max(1, stops.findIndex(([stop]) => stop >= at));
    const [[low, one], [high, other]] = [stops[k - 1], stops[k]];
    const mixed = one.map((value, j) => Math.round(value + ((at - low) / (high - low)) * (other[j] - value)));
    return `rgb(${mixed.slice(0, 3)})`;
  });
}

// Of tiles, whole pixels apart from the first or topmost.
function edges(axis, values) {
  const found = values.map((value) => axis.c2p(value));
  const from = Math.min(found[0], found.at(-1));
  return found.map((at) => from + Math.round(at - from));
}

function heatmap(pen, trace, { xa, ya, calc, colors }) {
  const { xgap, ygap, zmin, zmax } = trace;
  const [xs, ys] = [edges(xa, calc[0].x), edges(ya, calc[0].y)];
  const [left, above] = [Math.floor(xgap / 2), Math.floor(ygap / 2)];
  trace.z.forEach((row, j) => {
    const [top, low] = [Math.min(ys[j], ys[j + 1]), Math.max(ys[j], ys[j + 1])];
    row.forEach((value, i) => {
      if (Number.isNaN(value)) return;
      const share = Math.min(1, Math.max(0, (value - zmin) / (zmax - zmin)));
      pen.fillStyle = colors[Math.round(STEPS * share)];
      const [x0, x1] = [Math.min(xs[i], xs[i + 1]), Math.max(xs[i], xs[i + 1])];
      pen.fillRect(x0 + left, top + above, x1 - x0 - xgap, low - top - ygap);
    });
  });
}

const PAINTERS = { scatter, bar, heatmap };

// ---------------------------------------------------------------- what cannot be drawn here

function oddity(trace) {
  const { type, marker = {}, line = {} } = trace;
  const symbols = [marker.symbol ?? "circle"].flat().map((name) => String(name).replace("-open", ""));
  if (!PAINTERS[type]) return `type ${type}`;
  if (trace.texttemplate) return "texttemplate";
  if (marker.colorscale && listed(marker.color)) return "marker.colorscale";
  if (type === "heatmap") return trace.zsmooth ? "zsmooth" : trace.zauto ? "zauto" : "";
  if (trace.error_x?.visible || trace.error_y?.visible) return "error bars";
  if (type === "bar") {
    if (marker.line?.width || marker.pattern?.shape) return "outlined or patterned bars";
    return trace.text && !["none", "outside"].includes(trace.textposition) ? `textposition ${trace.textposition}` : "";
  }
  if (!["none", "toself", "tonexty", undefined].includes(trace.fill)) return `fill ${trace.fill}`;
  if (line.shape === "spline" || trace.connectgaps) return "line.shape spline or connectgaps";
  if (trace.mode?.includes("lines") && !DASHES[line.dash ?? "solid"]) return `dash ${line.dash}`;
  const unknown = symbols.find((name) => !SYMBOLS[name]);
  return unknown ? `symbol ${unknown}` : "";
}

// ---------------------------------------------------------------- the layer

function newPen() {
  const canvas = Object.assign(document.createElement("canvas"), { className: "grda-moving", width: 0 });
  canvas.setAttribute("aria-hidden", "true");
  return canvas.getContext("2d");
}

class Moving {
  // After a drawing of Plotly's: what of it can move by itself. `columns` are those that follow a slider,
  // each with the trace's number (or null) and the path.
  constructor(plot, columns, layout) {
    Object.assign(this, { plot, columns, layout, full: plot._fullLayout, hidden: [] });
    this.pen = newPen();
    this.subplots = this.layers();
    this.bodies = plot._fullData.filter(({ index, scene }) => scene && columns.some(({ trace }) => trace === index));
    this.reason = this.unmovable();
  }

  // Subplot by subplot the traces from the lowest that moves upwards: what lies above it must be drawn again.
  layers() {
    const moving = new Set(this.columns.map(({ trace }) => trace));
    const traces = this.plot._fullData.filter((trace) => trace.visible === true);
    const found = [];
    for (const [id, { xaxis: xa, yaxis: ya }] of Object.entries(this.full._plots ?? {})) {
      const own = traces.filter((trace) => trace.xaxis + trace.yaxis === id);
      own.sort((a, b) => LAYERS.indexOf(a.type) - LAYERS.indexOf(b.type) || a.index - b.index);
      const moves = (trace) => moving.has(trace.index);
      const first = own.findIndex((trace, k) => moves(trace) || (own[k + 1]?.fill === "tonexty" && moves(own[k + 1])));
      if (first >= 0) found.push({ xa, ya, traces: own.slice(first) });
    }
    return found;
  }

  unmovable() {
    if (!this.pen) return "a page without a canvas";
    if (this.bodies.some(({ scene }) => !this.full[scene]._scene?.glplot)) return "a scene without WebGL";
    const { _fullData: traces } = this.plot;
    for (const { trace, path } of this.columns) {
      const kind = trace === null ? "layout" : traces[trace].type;
      // Plotly takes a field without a number off the picture, its colours too.
      if (kind === "heatmap" && traces[trace].visible !== true) return `${traces[trace].name}, which has no value here`;
      if (!MOVABLE[kind]?.test(path.join("."))) return `${trace === null ? "layout" : traces[trace].name}.${path.join(".")}`;
      const axis = trace === null ? null : this.full._plots && this.axis(traces[trace], path[0]);
      if (axis?.autorange) return `the range of ${axis._name}, which follows the data`;
      if (kind === "layout" && path[0] === "annotations" && this.note(path[1]).showarrow) return "an annotation with an arrow";
    }
    for (const { traces: drawn } of this.subplots)
      for (const trace of drawn) if (oddity(trace)) return `${trace.name}: ${oddity(trace)}`;
    return "";
  }

  // Whether Plotly's axes serve this picture too: a range that moves is a rare event, and Plotly's.
  fits(layout) {
    if (this.reason) return false;
    const ranges = this.columns.filter(({ trace, path }) => trace === null && path[1] === "range");
    return ranges.every(({ path }) => String(valueAt(layout, path)) === String(valueAt(this.layout, path)));
  }

  axis(trace, letter) {
    const id = trace[`${letter}axis`];
    return id && this.full[id.replace(letter, `${letter}axis`)];
  }

  note(k) {
    return this.full.annotations[k];
  }

  size(pen) {
    const { width, height } = this.full;
    Object.assign(pen.canvas, { width: Math.round(width * this.ratio), height: Math.round(height * this.ratio) });
  }

  // The first picture of a movement: the canvas takes the place of what Plotly drew.
  begin() {
    const { plot, pen } = this;
    const { width, height } = this.full;
    this.ratio = devicePixelRatio;
    this.begun = true;
    this.size(pen);
    pen.canvas.style.cssText = `position: absolute; left: 0; top: 0; width: ${width}px; height: ${height}px; pointer-events: none;`;
    plot.querySelectorAll(".svg-container > .main-svg")[1].before(pen.canvas); // below its notes
    const drawn = new Set(this.subplots.flatMap(({ traces }) => traces.map((trace) => trace.index)));
    this.hidden = [...plot.querySelectorAll(".heatmaplayer > .hm, .barlayer > .trace, .scatterlayer > .trace")]
      .filter((node) => drawn.has(node.__data__[0].trace.index)); // d3 keeps there what it drew
    const layout = this.columns.filter(({ trace }) => trace === null);
    const numbers = (list) => [...new Set(layout.filter(({ path }) => path[0] === list).map(({ path }) => path[1]))];
    this.notes = numbers("annotations");
    for (const k of this.notes) this.hidden.push(...plot.querySelectorAll(`.annotation[data-index="${k}"]`));
    const { shapes } = this.full;
    const pathOfShape = (k) => plot.querySelector(`.shape-group[data-index="${k}"] path`);
    this.above = shapes.flatMap(({ layer }, k) => (layer === "above" ? [k] : []));
    this.below = numbers("shapes").filter((k) => shapes[k].layer !== "above").map((k) => [k, pathOfShape(k)]);
    this.hidden.push(...this.above.map(pathOfShape).filter(Boolean));
    this.colors = new Map(plot._fullData.filter(({ type, visible }) => type === "heatmap" && visible === true).map((trace) => [trace.index, scaleOf(trace)]));
    this.hidden.forEach((node) => node.style.setProperty("visibility", "hidden"));
    this.scenes = new Map(this.bodies.map(({ scene }) => this.full[scene]._scene.glplot).map((gl) => [gl, gl.pixelRatio]));
    for (const gl of this.scenes.keys()) gl.pixelRatio = 1; // of Plotly's two; a quarter of the work
  }

  draw(data, layout) {
    if (!this.begun) this.begin();
    const { pen, ratio } = this;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.full.width, this.full.height);
    for (const { xa, ya, traces } of this.subplots) {
      const now = traces.map((trace) => this.now(trace, data));
      now.forEach((trace, k) => {
        const calc = this.plot.calcdata[trace.index];
        const more = { xa, ya, calc, next: now[k + 1], colors: this.colors.get(trace.index) };
        this.faded(trace, (on) => {
          on.save();
          on.miterLimit = 2;
          on.translate(xa._offset, ya._offset);
          if (trace.cliponaxis !== false) {
            on.beginPath();
            on.rect(0, 0, xa._length, ya._length);
            on.clip();
          }
          PAINTERS[trace.type](on, trace, more);
          on.restore();
        });
      });
    }
    for (const body of this.bodies) this.full[body.scene]._scene.traces[body.uid].update(this.now(body, data));
    for (const gl of this.scenes.keys()) gl.redraw();
    for (const k of this.above) this.drawShape(layout.shapes[k], this.full.shapes[k]);
    for (const k of this.notes) this.drawNote(k, layout.annotations[k]);
    for (const [k, node] of this.below) node?.setAttribute("d", this.outline(layout.shapes[k], this.full.shapes[k]));
  }

  // A trace with Plotly's defaults and the attributes that move.
  now(trace, data) {
    return this.columns.reduce(
      (found, { trace: index, path }) => (index === trace.index ? withPath(found, path, valueAt(data[index], path)) : found),
      trace,
    );
  }

  // A trace that is faded as a whole does not show its own overlaps.
  faded(trace, paint) {
    const { pen, ratio } = this;
    const { opacity = 1, mode = "" } = trace;
    const flat =
      (mode === "lines" && !trace.fillcolor && !broken(trace)) ||
      (mode === "none" && trace.fill === "toself") ||
      (mode === "markers" && !trace.marker.line?.width && !listed(trace.marker.color));
    if (opacity === 1 || flat) {
      pen.globalAlpha = opacity;
      paint(pen);
      pen.globalAlpha = 1;
      return;
    }
    if (!this.scratch) this.size((this.scratch = newPen()));
    const { scratch } = this;
    scratch.setTransform(ratio, 0, 0, ratio, 0, 0);
    scratch.clearRect(0, 0, this.full.width, this.full.height);
    paint(scratch);
    pen.save();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.globalAlpha = opacity;
    pen.drawImage(scratch.canvas, 0, 0);
    pen.restore();
  }

  // Where a value of an annotation or shape lies, by its reference: an axis, its domain or the paper.
  place(letter, ref, value, isNote) {
    const size = this.full._size;
    const [id, domain] = String(ref).split(" ");
    const share = letter === "x" ? value : 1 - value;
    if (id === "paper") return letter === "x" ? size.l + size.w * share : size.t + size.h * share;
    const axis = this.full[id.replace(letter, `${letter}axis`)];
    if (domain) return axis._offset + axis._length * share;
    return axis._offset + (isNote ? axis.l2p(value) : axis.c2p(value)); // an annotation's is the logarithm
  }

  outline(shape, { type, xref, yref }) {
    const [x0, x1, y0, y1] = ["x0", "x1", "y0", "y1"].map((end) =>
      this.place(end[0], end[0] === "x" ? xref : yref, shape[end], false));
    if (![x0, x1, y0, y1].every(Number.isFinite)) return "M0,0";
    return type === "line" ? `M${x0},${y0}L${x1},${y1}` : `M${x0},${y0}H${x1}V${y1}H${x0}Z`;
  }

  drawShape(shape, { type, xref, yref, fillcolor, opacity, line }) {
    const { pen } = this;
    const outline = new Path2D(this.outline(shape, { type, xref, yref }));
    pen.save();
    pen.beginPath();
    const [[left, right], [low, high]] = [["x", xref], ["y", yref]].map(([letter, ref]) =>
      [0, 1].map((end) => this.place(letter, `${ref.split(" ")[0]}${ref === "paper" ? "" : " domain"}`, end)));
    pen.rect(left, high, right - left, low - high);
    pen.clip();
    pen.globalAlpha = opacity;
    pen.fillStyle = fillcolor;
    if (type !== "line") pen.fill(outline);
    setLine(pen, line);
    if (line.width) pen.stroke(outline);
    pen.restore();
  }

  drawNote(k, { text, x, y }) {
    const { pen } = this;
    const note = this.note(k);
    const { font, xref, yref, xanchor, yanchor, align, bgcolor, borderpad, borderwidth, xshift, yshift } = note;
    const left = this.place("x", xref, x, true) + xshift;
    const down = this.place("y", yref, y, true) - yshift;
    if (!text || !Number.isFinite(left) || !Number.isFinite(down)) return;
    if (this.isOutside("x", xref, left - xshift) || this.isOutside("y", yref, down + yshift)) return;
    const words = wordsOf(pen, text, font);
    const pad = borderpad + borderwidth;
    const [width, height] = [Math.round(words.width + 2 * pad), Math.round(words.height + 2 * pad)];
    const share = (anchor, value) => ({ left: 0, top: 0, center: 0.5, middle: 0.5, right: 1, bottom: 1 })[anchor] ?? value;
    const x0 = Math.round(left - width * share(xanchor, 0.5));
    const y0 = Math.round(down - height * share(yanchor, 0.5));
    const aligned = { left: 0, center: 0.5, right: 1 }[align];
    pen.save();
    pen.globalAlpha = note.opacity;
    pen.fillStyle = bgcolor;
    pen.fillRect(x0, y0, width, height);
    words.draw(x0 + pad + aligned * words.width, y0 + pad + words.above, aligned);
    pen.restore();
  }

  isOutside(letter, ref, at) {
    const axis = this.full[String(ref).replace(letter, `${letter}axis`)];
    return axis && (at < axis._offset - 0.5 || at > axis._offset + axis._length + 0.5);
  }

  // Plotly is about to draw.
  sharpen() {
    this.scenes?.forEach((ratio, gl) => (gl.pixelRatio = ratio));
  }

  // Plotly has drawn: its own picture comes forth.
  end() {
    this.hidden.forEach((node) => node.style.removeProperty("visibility"));
    this.pen?.canvas.remove();
    for (const pen of [this.pen, this.scratch]) if (pen) pen.canvas.width = 0; // frees its memory now
  }
}

