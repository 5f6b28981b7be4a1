// Looks at one figure as a reader does, at every position that it is told to visit. Returns what is
// cut off, what lies over what, words too pale for their paper, and every height that the figure had.
async (root, { looks, positions }) => {
  const SLACK = 1; // pixels: how far a letter's box may reach over an edge
  const READABLE = 4.5; // WCAG 2.2, contrast of text
  const plot = root.querySelector(".grda-plot");
  const problems = new Map(); // what -> where it was seen first
  const heights = new Map();

  async function settled() {
    const end = performance.now() + 60_000;
    await new Promise((done) => requestAnimationFrame(done));
    while (plot.dataset.state !== "drawn" || root.querySelector(".grda-old")) {
      if (plot.dataset.state === "failed" || performance.now() > end) throw Error("the figure was not drawn");
      await new Promise((done) => setTimeout(done, 10));
    }
  }

  // ------------------------------------------------------------- the controls

  const inputs = [...root.querySelectorAll(".grda-control")].map((box) => box.querySelector("input, select"));
  const sliders = inputs.filter((input) => input.tagName === "INPUT");
  const list = inputs.find((input) => input.tagName === "SELECT");

  function put(input, value) {
    if (Number(input.value) === value) return;
    input.value = value;
    input.dispatchEvent(new Event(input === list ? "change" : "input", { bubbles: true }));
  }

  // The first state, each slider's ends, each preset; of a preset also all sliders at their ends.
  function visited() {
    const first = sliders.map((slider) => Number(slider.value));
    const ends = [sliders.map(() => 0), sliders.map((slider) => Number(slider.max))];
    const single = sliders.flatMap((slider, k) => [0, Number(slider.max)].map((end) => first.with(k, end)));
    const presets = Array.from({ length: list?.options.length ?? 1 }, (_, option) => option);
    if (positions === "few") return presets.map((option) => [option, first]);
    return [[0, first], ...single.map((at) => [0, at]), ...presets.flatMap((o) => [first, ...ends].map((at) => [o, at]))];
  }

  // ------------------------------------------------------------- what is written

  const seen = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true });

  // Where the layer that a text is drawn on ends, in pixels of the page; null where nothing cuts it.
  function clipOf(node) {
    for (let n = node; n.nodeName !== "svg"; n = n.parentNode) {
      const id = /#([^")]+)/.exec(n.getAttribute("clip-path") ?? "")?.[1];
      const rect = id && document.getElementById(id)?.querySelector("rect");
      if (!rect) continue;
      const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(rect.getAttribute(name)));
      const corner = (dx, dy) => new DOMPoint(x + dx, y + dy).matrixTransform(n.getScreenCTM());
      const [from, to] = [corner(0, 0), corner(width, height)];
      return { left: from.x, top: from.y, right: to.x, bottom: to.y };
    }
    return null;
  }

  const HTML = ".grda-title, .grda-heading, .grda-sentence, .grda-controls :is(label, output, button)";

  function texts() {
    const drawn = [...root.querySelectorAll("svg text")]
      .filter((node) => node.textContent.trim() && !node.closest(".hoverlayer") && seen(node))
      .map((node) => ({ node, text: node.textContent.trim(), svg: true, box: node.getBoundingClientRect() }));
    const written = [...root.querySelectorAll(HTML)].filter((node) => node.textContent.trim() && seen(node));
    const boxed = written.map((node) => ({ node, text: node.textContent.trim(), svg: false, box: lineBox(node) }));
    return [...drawn, ...boxed].filter(({ box }) => box.right - box.left > 1);
  }

  function lineBox(node) {
    const range = document.createRange();
    range.selectNodeContents(node);
    const lines = [...range.getClientRects()].filter(({ width }) => width > 1);
    const edge = (pick, name) => pick(...lines.map((line) => line[name]));
    return { left: edge(Math.min, "left"), right: edge(Math.max, "right"), top: edge(Math.min, "top"), bottom: edge(Math.max, "bottom") };
  }

  // ------------------------------------------------------------- what is wrong

  function note(what, where) {
    if (!problems.has(what)) problems.set(what, where);
  }

  const beyond = (box, frame) =>
    Math.max(frame.left - box.left, box.right - frame.right, frame.top - box.top, box.bottom - frame.bottom);
  // A font's box is higher than its letters.
  const letters = ({ left, right, top, bottom }) => {
    const air = Math.min(3, 0.15 * (bottom - top));
    return { left, right, top: top + air, bottom: bottom - air };
  };
  const brief = (text) => (text.length > 40 ? `${text.slice(0, 39)}…` : text);

  function lookForCuts(all, where) {
    const paper = root.querySelector(".main-svg").getBoundingClientRect();
    const { left, right } = root.getBoundingClientRect();
    const page = { left, right, top: -Infinity, bottom: Infinity };
    for (const { node, text, svg, box } of all) {
      const clip = svg ? clipOf(node) : null;
      const out = beyond(letters(box), svg ? paper : page);
      const cut = clip ? beyond(letters(box), clip) : 0;
      if (Math.max(out, cut) > SLACK) note(`cut off by ${Math.max(out, cut).toFixed(0)} px: ${brief(text)}`, where);
    }
    if (root.scrollWidth > root.clientWidth + 1) note("wider than its page", where);
  }

  function lookForOverlaps(all, where) {
    const boxes = all.map(({ box }) => letters(box));
    boxes.forEach((a, i) => {
      for (let j = i + 1; j < boxes.length; j++) {
        const b = boxes[j];
        const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (width > SLACK && height > SLACK) note(`one over the other: ${brief(all[i].text)} / ${brief(all[j].text)}`, where);
      }
    });
  }

  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  function channels(color) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((value) => value / 255);
  }
  const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  function contrast(one, other) {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }

  function opacityOf(node) {
    let all = node instanceof SVGElement ? Number(getComputedStyle(node).fillOpacity) : 1;
    for (let n = node; n instanceof Element; n = n.parentNode) all *= Number(getComputedStyle(n).opacity);
    return all;
  }

  // What lies behind the figure: the nearest paper that lets nothing through, or the browser's own.
  function paperOf(node) {
    for (; node; node = node.parentElement) {
      const paper = channels(getComputedStyle(node).backgroundColor);
      if (paper[3] === 1) return paper;
    }
    return channels(matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "#ffffff");
  }

  // Words stand on the page's paper; a key's glyphs are marks, for which another bound holds.
  function lookForPaleWords(all, where) {
    for (const { node, svg } of all) {
      if (node.closest(".heatmap-label")) continue; // on a tile, by which Plotly makes it dark or white
      const paper = paperOf(node);
      for (const part of [node, ...node.querySelectorAll("*")]) {
        const own = [...part.childNodes].filter((n) => n.nodeType === Node.TEXT_NODE).map((n) => n.data).join("").trim();
        if (!/[\p{L}\p{N}]/u.test(own) || part.matches(":disabled")) continue;
        const style = getComputedStyle(part);
        const [r, g, b, a] = channels(svg ? style.fill : style.color);
        const share = a * opacityOf(part);
        const ink = [r, g, b].map((value, k) => share * value + (1 - share) * paper[k]);
        const found = contrast(ink, paper);
        if (found < READABLE) note(`contrast ${found.toFixed(2)}: ${brief(own)}`, where);
      }
    }
  }

  // ------------------------------------------------------------- the visit

  await settled();
  const width = root.getBoundingClientRect().width;
  const stops = visited();
  const go = async ([option, values]) => {
    if (list) put(list, option);
    sliders.forEach((slider, k) => put(slider, values[k]));
    await settled();
  };
  for (const [option, values] of stops) {
    await go([option, values]);
    const where = `${Math.round(width)} px wide, preset ${option}, sliders at [${values}]`;
    const all = texts();
    if (looks.includes("cut")) {
      lookForCuts(all, where);
      lookForOverlaps(all, where);
    }
    if (looks.includes("contrast")) lookForPaleWords(all, where);
    const tops = [...root.children].filter(seen).map((node) => Math.round(node.getBoundingClientRect().top - root.getBoundingClientRect().top));
    const height = Math.round(root.getBoundingClientRect().height);
    const shape = JSON.stringify([height, tops]);
    if (!heights.has(shape)) heights.set(shape, { height, where });
  }
  await go(stops[0]);
  return { problems: [...problems].map(([what, where]) => `${what} (${where})`), heights: [...heights.values()] };
}
