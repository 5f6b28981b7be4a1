// The line of controls of work that goes on in the kernel: Start, Stop, how far it has come. Python
// holds the whole state; the page draws it, sends which button was pressed, and notices by itself
// when the kernel is gone, which Python can no longer say.

const PATIENCE_MS = 3000; // a press that nothing has answered
const SILENCE_MS = 20000; // work under way says something several times a second
const SPOKEN_EVERY_MS = 10000; // a screen reader is not told of every batch
const ENDED = ["restarting", "autorestarting", "terminating", "dead"];

const GONE =
  "The kernel was restarted or has stopped, and the work with it. Run the cell again for a new start.";
const CUT = "The connection to the kernel is lost. What is shown is the last that came.";
const BUSY = "Python is busy or has stopped. This waits for it; if nothing happens, run the cell again.";
const SILENT = `Nothing has come from Python for ${SILENCE_MS / 1000} s: it is busy or no longer running.`;

function make(tag, className, parent) {
  const element = document.createElement(tag);
  element.className = className;
  parent.append(element);
  return element;
}

// What tells of the kernel where the host tells of it at all (JupyterLab and Notebook do).
function kernelOf(model) {
  const manager = model.widget_manager;
  return manager?.context?.sessionContext ?? manager?.kernel ?? null;
}

function connected(model) {
  return !["connecting", "disconnected"].includes(kernelOf(model)?.connectionStatus);
}

// Once for each model, also while no view of it is on the page. "gone" and "cut" are the page's own:
// they are set here and sent nowhere.
function initialize({ model }) {
  const kernel = kernelOf(model);
  if (!kernel?.statusChanged) return undefined;
  const gone = () => model.set("gone", true);
  const status = (_, name) => ENDED.includes(name) && gone();
  const connection = () => model.set("cut", !connected(model));
  kernel.statusChanged.connect(status);
  kernel.kernelChanged?.connect(gone);
  kernel.connectionStatusChanged?.connect(connection);
  return () => {
    kernel.statusChanged.disconnect(status);
    kernel.kernelChanged?.disconnect(gone);
    kernel.connectionStatusChanged?.disconnect(connection);
  };
}

function render({ model, el }) {
  const root = make("div", "grda-training-line", el);
  const buttons = make("div", "grda-training-buttons", root);
  const start = button("start");
  const stop = button("stop");
  const bar = make("div", "grda-training-bar", buttons);
  const filled = make("div", "", bar);
  const said = make("p", "grda-training-status", root);
  const spoken = make("p", "grda-training-spoken", root);
  let waiting = 0; // for the answer to a press
  let silence = 0; // for any word from the kernel
  let note = ""; // what the page itself has to say
  let spokenAt = -Infinity;

  bar.setAttribute("role", "progressbar");
  bar.setAttribute("aria-label", "How far it has come");
  bar.setAttribute("aria-valuemin", 0);
  bar.setAttribute("aria-valuemax", 100);
  spoken.setAttribute("role", "status");

  function button(action) {
    const made = make("button", `grda-training-${action}`, buttons);
    made.type = "button";
    made.dataset.do = action;
    made.dataset.lmSuppressShortcuts = "true"; // Enter and Space are not the notebook's here
    made.addEventListener("click", () => press(made));
    return made;
  }

  // A button that cannot be pressed now keeps the keyboard's focus: "disabled" would drop it.
  function enable(node, enabled) {
    node.setAttribute("aria-disabled", String(!enabled));
  }

  function press(node) {
    if (node.getAttribute("aria-disabled") === "true") return;
    clearTimeout(waiting);
    waiting = setTimeout(() => notice(BUSY), PATIENCE_MS);
    try {
      model.send({ do: node.dataset.do });
    } catch {
      // The kernel is gone, and the line says so in a moment.
    }
  }

  function notice(text) {
    note = text;
    draw();
  }

  function heard() {
    [waiting, silence].forEach(clearTimeout);
    note = "";
    if (model.get("running")) silence = setTimeout(() => notice(SILENT), SILENCE_MS);
    draw();
  }

  function draw() {
    const gone = model.get("gone");
    const running = model.get("running");
    const text = gone ? GONE : model.get("cut") ? CUT : note || model.get("said");
    const percent = Math.round(100 * model.get("fraction"));
    start.textContent = model.get("invitation");
    stop.textContent = "Stop";
    enable(start, !gone && !running);
    enable(stop, !gone && running);
    bar.dataset.tone = gone ? "gone" : model.get("tone");
    bar.setAttribute("aria-valuenow", percent);
    bar.setAttribute("aria-valuetext", `${percent} %`);
    filled.style.width = `${percent}%`;
    said.textContent = text;
    const due = !running || gone || note || performance.now() - spokenAt > SPOKEN_EVERY_MS;
    if (due && spoken.textContent !== text) {
      spoken.textContent = text;
      spokenAt = performance.now();
    }
  }

  const state = ["running", "invitation", "said", "fraction", "tone"].map((name) => `change:${name}`);
  const page = ["change:gone", "change:cut"];
  state.forEach((name) => model.on(name, heard));
  page.forEach((name) => model.on(name, draw));
  heard();
  return () => {
    [waiting, silence].forEach(clearTimeout);
    state.forEach((name) => model.off(name, heard));
    page.forEach((name) => model.off(name, draw));
    el.replaceChildren(); // the host keeps the emptied view's element for as long as the page lives
  };
}

export default { initialize, render };
