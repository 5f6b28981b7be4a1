// Wakes a page of the web edition: its figures when they near the screen, its cards at once. What the
// reader commits to and reaches is kept in this browser. Classic scripts and no fetch, so that a folder
// on a stick works as well as a server.
//
// `figures` is the module that draws (with pageModel), `cards` the one that draws cards.

const HERE = new URL(".", document.currentScript.src);
const NEAR = "600px"; // below the screen, where a figure's table is fetched
const STORE = "grda-edu progress";
const PLOTLY = { flat: "plotly-cartesian.min.js", space: "plotly.min.js" };

// ---------------------------------------------------------------- scripts, each fetched once

const scripts = new Map();

function script(path) {
  if (!scripts.has(path))
    scripts.set(
      path,
      new Promise((resolve, reject) => {
        const node = document.createElement("script");
        node.src = new URL(path, HERE);
        node.onload = resolve;
        node.onerror = () => {
          scripts.delete(path); // the next try fetches it again
          reject(new Error(`${path} could not be fetched`));
        };
        document.head.append(node);
      }),
    );
  return scripts.get(path);
}

const libraries = new Map();

function library(kind) {
  if (!libraries.has(kind)) {
    const loaded = script(PLOTLY[kind]).then(() => globalThis.Plotly);
    libraries.set(kind, loaded);
    loaded.catch(() => libraries.delete(kind));
  }
  return libraries.get(kind);
}

// ---------------------------------------------------------------- what the reader has done

// What was kept may be of another edition, or of anyone who wrote there.
const record = (found) => (typeof found === "object" && !Array.isArray(found) ? { ...found } : {});

const progress = {
  kept: { predictions: {}, exercises: {}, goals: {}, quizzes: {} },
  watchers: [],
  read() {
    try {
      const found = record(JSON.parse(localStorage.getItem(STORE)));
      for (const part of Object.keys(this.kept)) this.kept[part] = record(found[part]);
    } catch {
      // No storage for this page: it is remembered until the page is left.
    }
    return this.kept;
  },
  change(change) {
    change(this.read());
    try {
      localStorage.setItem(STORE, JSON.stringify(this.kept));
    } catch {
      // As above.
    }
    this.watchers.forEach((watcher) => watcher());
  },
  watch(watcher) {
    this.watchers.push(watcher);
    watcher();
  },
};
addEventListener("storage", (event) => {
  if (event.key !== STORE && event.key !== null) return;
  progress.read();
  progress.watchers.forEach((watcher) => watcher());
});
progress.read();

const skipped = new Set(); // predictions, until the page is left
const settled = (name) => name in progress.kept.predictions || skipped.has(name);

// ---------------------------------------------------------------- figures

const told = new Map(); // a figure's script -> [state, option, table]

async function unpacked(table) {
  const packed = Uint8Array.from(atob(table.data), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const parted = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = parted.length / 4;
  const numbers = new Uint8Array(parted.length);
  for (let k = 0; k < 4; k++) for (let i = 0; i < count; i++) numbers[4 * i + k] = parted[k * count + i];
  return { ...table, data: new DataView(numbers.buffer) };
}

const presets = new Map(); // `${script} ${option}` -> its table, packed

globalThis.grdaPage = {
  figure: (name, ...data) => told.set(name, data),
  table: (name, option, table) => presets.set(`${name} ${option}`, table),
};

async function modelOf(name) {
  await script(`figures/${name}.js`);
  const [state, option, table] = told.get(name);
  const count = state.choice.options?.length ?? 1;
  const tables = Array(count).fill({});
  tables[option] = await unpacked(table);
  const model = figures.pageModel({ ...state, tables });
  const fetchPreset = async () => {
    const wanted = model.get("option");
    model.set("error", ""); // of a preset that was left
    if (tables[wanted].columns) return;
    try {
      await script(`figures/${name}.${wanted}.js`);
      const found = await unpacked(presets.get(`${name} ${wanted}`));
      tables[wanted] = found;
      if (model.get("option") === wanted) model.set("table", found);
    } catch (error) {
      if (model.get("option") === wanted) model.set("error", `This preset could not be loaded: ${error.message}.`);
    }
  };
  model.on("change:option", fetchPreset);
  return model;
}

async function wake(place) {
  const name = place.dataset.figure;
  const kind = place.dataset.space ? "space" : "flat";
  library(kind).catch(() => {}); // the figure says so when it draws; until then its table is fetched beside it
  const model = await modelOf(name);
  model.set("library", () => library(kind));
  keepGoals(model);
  cover(model, place);
  keepAddress(model, place);
  const el = document.createElement("div");
  el.className = "grda-awake";
  figures.render({ model, el });
  const still = place.querySelector(".grda-still");
  still.classList.add("grda-printed"); // paper takes the first picture, whatever the screen shows
  still.before(el);
  place.classList.remove("grda-waits");
  if (model.get("controls").length || model.get("choice").options) linkButton(model, place);
  place.dataset.awake = "yes";
}

function wakeNearScreen(place) {
  if (place.dataset.space) return offer(place);
  place.classList.toggle("grda-waits", waits(place)); // its first picture would answer, too
  const watcher = new IntersectionObserver(
    ([entry]) => {
      if (!entry.isIntersecting) return;
      watcher.disconnect();
      wake(place).catch((error) => fail(place, error));
    },
    { rootMargin: NEAR },
  );
  watcher.observe(place);
}

// A figure in space needs a library three times as large: it waits for a click.
function offer(place) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "grda-offer";
  button.textContent = "Open this figure in space (1.5 MB)";
  button.addEventListener("click", () => {
    button.disabled = true;
    wake(place)
      .then(() => button.remove())
      .catch((error) => {
        button.disabled = false;
        fail(place, error);
      });
  });
  place.prepend(button);
}

function fail(place, error) {
  place.classList.remove("grda-waits");
  let line = place.querySelector(".grda-failed");
  if (!line) {
    line = document.createElement("p");
    line.className = "grda-failed";
    line.setAttribute("role", "alert");
    place.append(line);
  }
  line.textContent = `This figure could not be loaded: ${error.message}. Reload the page to try again.`;
}

function keepGoals(model) {
  const names = model.get("goals").map((goal) => goal.name);
  model.set("reached", names.map((name) => name in progress.kept.goals));
  model.on("change:reached", () => {
    const fresh = names.filter((name, k) => name && model.get("reached")[k] && !(name in progress.kept.goals));
    if (fresh.length) progress.change((kept) => fresh.forEach((name) => (kept.goals[name] = true)));
  });
}

const waits = (place) => !(place.dataset.waitsFor ?? "").split(" ").filter(Boolean).every(settled);

function cover(model, place) {
  model.set("veil", waits(place) ? place.dataset.veil : "");
  progress.watch(() => model.get("veil") && !waits(place) && model.set("veil", ""));
}

// ---------------------------------------------------------------- the address: #figure?c=0.02&mu=0.65

const KEPT_AFTER_MS = 300;
const HELD_MS = 5000; // the place that the reader was sent to, unless they scroll
const SEEN = "seen"; // an address that the reader has been taken to, or that the page wrote

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign that means itself
  }
}

// The query is decoded by URLSearchParams alone: decoded twice, a preset's "+" would be a space.
function addressed() {
  const hash = location.hash.slice(1);
  const [id, ...query] = (hash.includes("?") ? hash : decoded(hash)).split("?");
  return { id: decoded(id), asked: new URLSearchParams(query.join("?")) };
}

// What the reader came for. A figure that wakes late is asked for it still, when the address speaks of another.
let link = addressed();

function writeAddress(address) {
  try {
    history.replaceState(SEEN, "", address);
  } catch {
    // A browser that lets no page change its address.
  }
}

addEventListener("hashchange", () => {
  link = addressed();
  arrive();
});

// Whoever comes by a link sees its figure or section. Who reloads or goes back sees the place that was left, as on every page.
function arrive() {
  const place = document.getElementById(link.id);
  if (!place?.closest("article") || history.state === SEEN) return;
  hold(place);
  writeAddress(location.hash);
}

// On its way there the page grows: what wakes above it is not as high as its still picture was.
function hold(place) {
  const article = place.closest("article"); // the body is as high as the screen
  const now = () => [article.offsetHeight, Math.round(place.getBoundingClientRect().top)];
  let held = [];
  const grown = new ResizeObserver(() => {
    place.scrollIntoView({ behavior: "instant" }); // a smooth one ends when the page has loaded, wherever it is
    held = now();
  });
  const letGo = () => {
    grown.disconnect();
    removeEventListener("scroll", moved);
  };
  const moved = () => {
    const [height, top] = now();
    if (height === held[0] && Math.abs(top - held[1]) > 1) letGo(); // the reader's doing, not the page's
  };
  grown.observe(article);
  addEventListener("scroll", moved);
  setTimeout(letGo, HELD_MS);
}

// The controls as the address writes them: the values that Python would be given.
function addressOf(model) {
  const { options, name } = model.get("choice");
  const parts = options ? [[name, options[model.get("option")]]] : [];
  model.get("controls").forEach((control, axis) => parts.push([control.name, control.python[model.get("index")[axis]]]));
  return new URLSearchParams(parts).toString();
}

// Put the controls where an address says, at the nearest values; what it does not name, or names wrongly, stays.
function goTo(model, asked) {
  const { name, options = [] } = model.get("choice");
  const option = options.indexOf(asked.get(name));
  if (option >= 0) model.set("option", option);
  const index = model.get("index").map((at, axis) => {
    const control = model.get("controls")[axis];
    const wanted = Number(asked.get(control.name)?.trim() || NaN); // Number("") is 0
    if (!Number.isFinite(wanted)) return at;
    const off = control.python.map((text) => Math.abs(Number(text) - wanted));
    return off.indexOf(Math.min(...off));
  });
  model.set("index", index);
}

function keepAddress(model, place) {
  if (link.id === place.id) goTo(model, link.asked);
  let timer = 0;
  const keep = () => {
    clearTimeout(timer);
    timer = setTimeout(() => writeAddress(`#${place.id}?${addressOf(model)}`), KEPT_AFTER_MS);
  };
  model.on("change:index", keep);
  model.on("change:option", keep);
  addEventListener("hashchange", () => {
    if (link.id === place.id) goTo(model, link.asked);
    clearTimeout(timer); // the entry is the link's; and a browser that goes back twice is stopped by a new address
  });
}

function linkButton(model, place) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy link";
  const said = document.createElement("span");
  said.className = "grda-copied";
  said.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    const address = new URL(`#${place.id}?${addressOf(model)}`, location.href).href;
    writeAddress(address);
    try {
      await navigator.clipboard.writeText(address);
      said.textContent = "Copied.";
      said.classList.add("grda-spoken"); // seen on the button: a line of its own would push the figure down
      button.style.minWidth = `${button.offsetWidth}px`;
      button.textContent = "Copied";
    } catch {
      said.classList.remove("grda-spoken");
      // No clipboard for this page, which may stand in another one whose address line is not its own.
      const anchor = Object.assign(document.createElement("a"), { href: address, textContent: "this link" });
      said.replaceChildren("Copy the address of ", anchor, ".");
    }
  });
  const forget = () => {
    said.replaceChildren();
    button.textContent = "Copy link";
  };
  for (const moved of ["change:index", "change:option"]) model.on(moved, forget);
  place.querySelector(".grda-controls").append(button, said);
}

// ---------------------------------------------------------------- cards

function cardModel(state, press) {
  const listeners = [];
  const model = {
    get: (name) => (name === "state" ? state : ""),
    set(next) {
      state = next;
      listeners.forEach((callback) => callback());
    },
    on: (_, callback) => listeners.push(callback),
    off() {},
    send: ({ do: action, answer }) => press(action, answer, model),
  };
  return model;
}

function drawCard(place, model) {
  place.replaceChildren();
  cards.render({ model, el: place });
  new MutationObserver(() => reachScrolled(place)).observe(place, { childList: true, subtree: true }); // solutions
}

const dataOf = (place) => JSON.parse(place.querySelector('script[type="application/json"]').textContent);

function predictionCard(place) {
  const [name, ask, toldState, answered, number] = dataOf(place);
  const after = (answer) => {
    if (!number) return answered[answer];
    const off = answer - number.answer;
    const close = Math.abs(off) <= number.tolerance * (1 + 1e-9);
    const state = answered[off === 0 ? 0 : close ? 1 : off > 0 ? 2 : 3];
    return { ...state, number: { ...state.number, value: `${answer}` } };
  };
  const accepts = (answer) => (number ? Number.isFinite(answer) : Number.isInteger(answer) && answer in answered);
  const former = () => progress.kept.predictions[name];
  if (name in progress.kept.predictions && !accepts(former())) progress.change((kept) => delete kept.predictions[name]);
  let shown = former();
  const model = cardModel(shown === undefined ? ask : after(shown), (action, answer) => {
    if (action === "commit") {
      progress.change((kept) => (kept.predictions[name] = answer));
      model.set(after(answer));
    } else if (action === "skip") {
      skipped.add(name);
      model.set(toldState);
      progress.watchers.forEach((watcher) => watcher());
    } else {
      progress.change((kept) => delete kept.predictions[name]);
      model.set(ask);
    }
  });
  drawCard(place, model);
  progress.watch(() => {
    if (former() === shown) return; // or a skipped question would be asked again by any change
    shown = former();
    model.set(accepts(shown) ? after(shown) : ask); // committed in another tab, too
  });
}

function exerciseCard(place) {
  const [name, head, title, states] = dataOf(place);
  let opened = 0;
  const state = () => {
    const solved = name in progress.kept.exercises;
    const mark = { do: "mark", label: solved ? "✓ Solved. Take the mark back" : "I have solved it in a notebook" };
    return { label: `Exercise: ${title}`, head, ...states[opened], actions: [...states[opened].actions, mark] };
  };
  const model = cardModel(state(), (action) => {
    if (action === "hint") opened += 1;
    if (action === "solution") opened = states.length - 1;
    if (action === "mark")
      progress.change((kept) => {
        if (name in kept.exercises) delete kept.exercises[name];
        else kept.exercises[name] = true;
      });
    model.set(state());
  });
  drawCard(place, model);
  progress.watch(() => model.set(state()));
}

// ---------------------------------------------------------------- the closing quiz

const ESCAPED = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const escaped = (text) => text.replace(/[&<>]/g, (letter) => ESCAPED[letter]);

function roundOf(number) {
  const { answers, results } = record(progress.kept.quizzes[number]);
  const given = Object.entries(record(answers)).filter(([, answer]) => Number.isInteger(answer));
  return { answers: Object.fromEntries(given), results: Array.isArray(results) ? results.filter(Number.isInteger) : [] };
}

// A round is answered in any order; the first answers stay, and its result stands on the map.
function quizCard(place) {
  const [number, questions, titles] = dataOf(place);
  const total = questions.length;
  const round = () => roundOf(number);
  const keep = (next) => progress.change((kept) => (kept.quizzes[number] = next));
  const chosenOf = ({ name, options }) => {
    const chosen = round().answers[name];
    return chosen in options ? chosen : undefined; // of another edition's question
  };
  const open = () => questions.filter((one) => chosenOf(one) === undefined);
  const isRight = (one) => chosenOf(one) === one.right;
  let at = Math.max(0, questions.indexOf(open()[0]));

  const question = () => {
    const one = questions[at];
    const chosen = chosenOf(one);
    const left = open().length;
    const actions = [];
    if (chosen === undefined) {
      actions.push({ do: "answer", label: "Answer", primary: true, needs: true });
      if (left > 1) actions.push({ do: "next", label: "Skip for now" });
    } else if (left) actions.push({ do: "next", label: "Next question", primary: true });
    else actions.push({ do: "result", label: "Your result", primary: true }, { do: "next", label: "Next question" });
    if (at) actions.push({ do: "back", label: "Back" });
    const [result, more] = chosen === undefined ? ["", ""] : one.answered[chosen];
    const { label, head, options } = one;
    return { label, head, options, chosen: chosen ?? null, locked: chosen !== undefined, actions, result, more };
  };
  const result = () => {
    const missed = questions.filter((one) => !isRight(one));
    const before = round().results.slice(0, -1).map((right) => `${right} of ${total}`).join(", ");
    const toRead = [...new Set(missed.map((one) => one.lesson))].sort();
    const links = toRead.map((lesson) => `<li><a href="lesson${lesson}.html">${escaped(titles[lesson])}</a></li>`);
    return {
      label: "Closing quiz: your result",
      head: `<p class="grda-kicker">Closing quiz</p><div class="grda-question">${total - missed.length} of ${total} at the first try</div>`,
      actions: [{ do: "look", label: "Look through the answers", primary: true }, { do: "again", label: "Do it again" }],
      result: before && `<p class="grda-note">Rounds before: ${before}.</p>`,
      more: links.length ? `<p class="grda-label">What you missed stands in</p><ul>${links.join("")}</ul>` : "",
    };
  };
  const after = () => {
    const turn = questions.map((_, k) => (at + k + 1) % total);
    return turn.find((k) => chosenOf(questions[k]) === undefined) ?? turn[0];
  };
  const press = (action, answer) => {
    if (action === "answer") {
      const { answers, results } = round();
      keep({ answers: { ...answers, [questions[at].name]: answer }, results });
      if (!open().length) keep({ ...round(), results: [...results, questions.filter(isRight).length] });
    }
    if (action === "next") at = after();
    if (action === "back") at -= 1;
    if (action === "look" || action === "again") at = 0;
    if (action === "again") keep({ ...round(), answers: {} });
    view = action === "result" ? result : question;
    model.set(view());
  };
  let view = open().length ? question : result;
  const model = cardModel(view(), press);
  drawCard(place, model);
  progress.watch(() => model.set(open().length ? question() : view())); // another tab may begin anew
}

function quizStatus(number, count) {
  const { answers, results } = roundOf(number);
  if (!results.length) return `${Object.keys(answers).length} of ${count} questions`;
  const last = results.length > 1 ? `, ${results.at(-1)} in the last round` : "";
  return `quiz: ${results[0]} of ${count} right at the first try${last}`;
}

// ---------------------------------------------------------------- the map and the aims

const counted = (number, kind) => `${number} ${number === 1 ? kind.slice(0, -1) : kind}`;

function courseMap(place) {
  const lessons = dataOf(place);
  const said = new Map();
  for (const row of place.querySelectorAll("[data-lesson]")) {
    const status = row.querySelector(".grda-status");
    said.set(row.dataset.lesson, { status, minutes: status.textContent });
  }
  const show = () => {
    for (const { number, names, quiz } of lessons) {
      const { status, minutes } = said.get(number);
      const counts = Object.entries(names).map(([kind, all]) => [kind, all.filter((name) => name in progress.kept[kind]).length, all.length]);
      const parts = counts.filter(([, , all]) => all).map(([kind, done, all]) => `${done} of ${counted(all, kind)}`);
      if (quiz) parts.push(quizStatus(number, quiz));
      status.textContent = [minutes, parts.join(", ")].filter(Boolean).join(" · ");
      const quizDone = !quiz || roundOf(number).results.length > 0;
      const finished = quizDone && counts.every(([, done, all]) => done === all);
      if (finished) status.append(" ", Object.assign(document.createElement("span"), { className: "grda-finished", textContent: "✓ done" }));
    }
  };
  progress.watch(show);
  const reset = document.createElement("div");
  reset.className = "grda-reset";
  place.append(reset);
  resetCard(reset);
}

function resetCard(place) {
  const rest = (result = "") => ({ label: "Your progress", result, actions: [{ do: "reset", label: "Reset my progress" }] });
  const asks = () => {
    const { kept } = progress;
    const { quizzes, ...counts } = kept;
    const count = Object.keys(counts).map((kind) => counted(Object.keys(kept[kind]).length, kind));
    if (Object.keys(quizzes).length) count.push("the quiz");
    return {
      label: "Your progress",
      result: `<p>What you committed, solved and reached (${count.join(", ")}) is kept in this browser alone. Forget it?</p>`,
      actions: [{ do: "keep", label: "Keep it", primary: true }, { do: "forget", label: "Forget everything" }],
    };
  };
  const model = cardModel(rest(), (action) => {
    if (action === "forget") progress.change((kept) => Object.keys(kept).forEach((kind) => (kept[kind] = {})));
    model.set(action === "reset" ? asks() : rest(action === "forget" ? "<p>Your progress is reset.</p>" : ""));
  });
  drawCard(place, model);
}

function aims(item) {
  const name = item.dataset.check;
  const words = item.querySelector(".grda-check");
  const open = words.textContent;
  progress.watch(() => {
    const { predictions, exercises } = progress.kept;
    const done = name in predictions || name in exercises;
    item.querySelector(".grda-mark").textContent = done ? "✓" : "○";
    words.textContent = done ? open.replace(": open", name in predictions ? ": committed" : ": solved") : open;
  });
}

function veiledTable(details) {
  const names = details.dataset.waitsFor.split(" ");
  progress.watch(() => names.every(settled) && (details.open = true));
}

// ---------------------------------------------------------------- begin

const CARDS = { prediction: predictionCard, exercise: exerciseCard, quiz: quizCard, map: courseMap };

// What is scrolled sideways has to be reached by keyboard too, and to show that it goes on.
const SCROLLED = "pre, .math-long, .math-block, .grda-scrolled, .table-wrapper";

function showReach(block) {
  if (block.scrollWidth > block.clientWidth) block.tabIndex = 0;
  block.classList.toggle("grda-more", block.scrollLeft + block.clientWidth < block.scrollWidth - 1);
}

const widths = new ResizeObserver((entries) => entries.forEach(({ target }) => showReach(target)));

function reachScrolled(within) {
  for (const block of within.querySelectorAll(SCROLLED)) {
    block.onscroll = () => showReach(block);
    widths.observe(block);
  }
}

// The theme leaves a phone's page menu open, over the section that it led to.
function closeMenu({ target }) {
  if (target.closest(".toc-drawer a")) document.getElementById("__toc").checked = false;
}

function begin() {
  document.addEventListener("click", closeMenu);
  reachScrolled(document);
  document.querySelectorAll("[data-card]").forEach((place) => CARDS[place.dataset.card](place));
  document.querySelectorAll("[data-check]").forEach(aims);
  document.querySelectorAll(".grda-veiled-table").forEach(veiledTable);
  document.querySelectorAll("[data-figure]").forEach(wakeNearScreen);
  arrive();
}

if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
else begin();
