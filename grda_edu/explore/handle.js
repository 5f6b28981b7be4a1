// Handles: points of the plot that are dragged, and sliders that follow. Where a point lies for every
// position of its sliders is read from the table, so that a handle knows no more than the figure.
// A handle is a slider of its own for the keyboard and for screen readers: an arrow takes it to the
// next place on that side, Home and End to the first and last value.

const SIDES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function handleLayer(model, stage, plot, state) {
  const layer = element("div", { className: "grda-handles" });
  const handles = (model.get("handles") ?? []).map((told) => new Handle(model, plot, state, told));
  layer.append(...handles.map((handle) => handle.node));
  const show = () => handles.forEach((handle) => handle.show());
  const takeField = (event) => {
    if (event.target.closest(".grda-handle") || event.button > 0) return;
    handles.find((handle) => handle.field && handle.covers(event))?.take(event);
  };
  // A finger that begins to scroll on a field must not move its point: there a tap counts.
  const press = (event) => event.pointerType !== "touch" && takeField(event);
  const tap = (event) => event.pointerType === "touch" && takeField(event);
  // Axes move when the figure is drawn at another width.
  const drawings = new MutationObserver(show);
  if (handles.length) {
    plot.addEventListener("pointerdown", press, { capture: true });
    plot.addEventListener("click", tap, { capture: true });
    drawings.observe(plot, { attributes: true, attributeFilter: ["data-drawn", "data-state"] });
    stage.append(layer);
  }
  return { show, stop: () => drawings.disconnect() };
}

class Handle {
  constructor(model, plot, state, told) {
    Object.assign(this, { model, plot, state, told, field: told.field });
    this.node = element("div", { className: "grda-handle", tabIndex: 0, hidden: true });
    this.node.setAttribute("role", "slider");
    this.node.setAttribute("aria-label", this.sliders().map((slider) => slider.label).join(" and "));
    if (told.line) this.node.classList.add(`grda-line-${told.along}`);
    if (told.along === "y") this.node.setAttribute("aria-orientation", "vertical");
    this.node.dataset.trace = told.trace;
    this.node.addEventListener("pointerdown", (event) => event.button > 0 || this.take(event));
    this.node.addEventListener("keydown", (event) => this.key(event));
  }

  sliders() {
    return this.told.controls.map((axis) => this.model.get("controls")[axis]);
  }

  // The axes that the trace lies on, as plotly.js holds them.
  axes() {
    const trace = this.plot._fullData?.find((drawn) => drawn.name === this.told.trace);
    const layout = this.plot._fullLayout;
    if (!trace || !layout) return null;
    const of = (letter) => layout[`${letter}axis${(trace[`${letter}axis`] ?? letter).slice(1)}`];
    return { x: of("x"), y: of("y"), trace };
  }

  // Where the point is, in pixels of the plot, with the controls at `position`; NaN where it is not.
  place(position, { x, y, trace }) {
    const table = this.model.get("table");
    const value = (letter) => {
      const column = table.columns.find((one) => one.trace === this.told.trace && one.path === letter);
      return (column ? readRow(table, column, rowOf(column, position)) : trace[letter])?.[this.told.point];
    };
    const pixels = (axis, at) => axis._offset + axis.d2p(at);
    return [pixels(x, value("x")), pixels(y, value("y"))];
  }

  // All positions of its sliders, the others where they stand, with the point's place in each.
  places(axes) {
    const index = this.model.get("index");
    const [first, second] = this.told.controls;
    const found = [];
    const count = (axis) => this.model.get("controls")[axis].texts.length;
    for (let i = 0; i < count(first); i++)
      for (let j = 0; j < (second === undefined ? 1 : count(second)); j++) {
        const position = index.map((at, axis) => (axis === first ? i : axis === second ? j : at));
        const place = this.place(position, axes);
        if (place.every(Number.isFinite)) found.push({ position, place });
      }
    return found;
  }

  show() {
    const axes = this.axes();
    const table = this.model.get("table");
    const known = axes && table.columns && !table.at && upToDate(this.model);
    const [x, y] = known ? this.place(this.model.get("index"), axes) : [NaN, NaN];
    this.node.hidden = !Number.isFinite(x + y);
    if (this.node.hidden) return;
    const { line, along } = this.told;
    const style = this.node.style;
    style.left = `${line && along === "y" ? axes.x._offset : x}px`;
    style.top = `${line && along === "x" ? axes.y._offset : y}px`;
    if (line) style[along === "y" ? "width" : "height"] = `${(along === "y" ? axes.x : axes.y)._length}px`;
    const [first] = this.told.controls;
    const at = this.model.get("index");
    const sliders = this.sliders();
    this.node.setAttribute("aria-valuemin", 0);
    this.node.setAttribute("aria-valuemax", sliders[0].texts.length - 1);
    this.node.setAttribute("aria-valuenow", at[first]);
    const words = sliders.map((slider, k) => `${slider.label} = ${slider.texts[at[this.told.controls[k]]]}`);
    this.node.setAttribute("aria-valuetext", words.join(", "));
  }

  // Does the pointer stand in the panel of the handle's trace?
  covers(event) {
    const axes = this.axes();
    if (!axes || this.node.hidden) return false;
    const [x, y] = this.pointer(event);
    const inside = (axis, at) => at >= axis._offset && at <= axis._offset + axis._length;
    return inside(axes.x, x) && inside(axes.y, y);
  }

  pointer(event) {
    const { left, top } = this.plot.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  take(event) {
    const { node } = this;
    event.preventDefault(); // or the drag would mark the page's text
    node.focus({ preventScroll: true });
    const from = this.pointer(event);
    const here = this.place(this.model.get("index"), this.axes());
    const onHandle = event.target === node;
    // A handle is taken where the hand meets it: it does not jump under the pointer.
    const off = onHandle ? [from[0] - here[0], from[1] - here[1]] : [0, 0];
    const follow = (moved) => {
      const [x, y] = this.pointer(moved);
      this.moveTo([x - off[0], y - off[1]]);
    };
    if (!onHandle) follow(event);
    if (event.type !== "pointerdown") return;
    node.setPointerCapture(event.pointerId);
    node.classList.add("grda-taken");
    const drop = () => {
      node.removeEventListener("pointermove", follow);
      node.classList.remove("grda-taken");
    };
    node.addEventListener("pointermove", follow);
    node.addEventListener("lostpointercapture", drop, { once: true });
  }

  // To the position whose point lies nearest, along the axes that the handle moves on.
  moveTo([x, y]) {
    const axes = this.axes();
    if (!axes) return;
    const { along } = this.told;
    const apart = ({ place }) =>
      Math.hypot(along.includes("x") ? place[0] - x : 0, along.includes("y") ? place[1] - y : 0);
    const places = this.places(axes);
    if (!places.length) return;
    const nearest = places.reduce((best, one) => (apart(one) < apart(best) ? one : best));
    this.put(nearest.position);
  }

  put(position) {
    this.state.moveTo(position);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const index = [...this.model.get("index")];
    const { controls } = this.told;
    const last = this.sliders().map((slider) => slider.texts.length - 1);
    if (event.key === "Home" || event.key === "End") {
      controls.forEach((axis, k) => (index[axis] = event.key === "End" ? last[k] : 0));
      this.put(index);
    } else if (SIDES[event.key]) {
      this.step(SIDES[event.key], index, last);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // One value of one slider on, the one that takes the point furthest towards that side.
  step([right, down], index, last) {
    const axes = this.axes();
    if (!axes) return;
    const here = this.place(index, axes);
    let best = { gain: 0.5 };
    this.told.controls.forEach((axis, k) => {
      for (const to of [index[axis] - 1, index[axis] + 1]) {
        if (to < 0 || to > last[k]) continue;
        const position = index.map((at, other) => (other === axis ? to : at));
        const [x, y] = this.place(position, axes);
        const gain = right * (x - here[0]) + down * (y - here[1]);
        if (gain > best.gain) best = { gain, position };
      }
    });
    if (best.position) this.put(best.position);
  }
}
