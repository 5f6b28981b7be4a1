// Draws a card from the state that Python holds. Knows nothing of predictions or exercises.

const PATIENCE_MS = 2000;

function make(tag, className, parent) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (parent) parent.append(element);
  return element;
}

// JupyterLab's shortcuts take arrow keys, Enter and letters away from whatever has the focus, unless
// that very element says no.
function keepKeys(element) {
  element.dataset.lmSuppressShortcuts = "true";
}

function render({ model, el }) {
  const hide = make("style", "", el);
  hide.textContent = `.${model.get("fallback")} { display: none; }`;
  const card = make("section", "grda-course grda-card", el);
  card.tabIndex = -1;
  const head = make("div", "grda-head", card);
  const form = make("div", "grda-form", card);
  const result = live(card);
  const actions = make("div", "grda-actions", card);
  const wait = live(card);
  const more = live(card);
  const group = `${model.get("fallback")}-${crypto.randomUUID?.() ?? Math.random()}`; // of this view's radio buttons
  let waiting = 0;
  let drawn = {};

  function live(parent) {
    const region = make("div", "grda-live", parent);
    region.setAttribute("role", "status");
    return region;
  }

  function answer() {
    const state = model.get("state");
    if (state.number) {
      const text = form.querySelector("input")?.value.trim().replace(",", ".") ?? "";
      return text !== "" && Number.isFinite(Number(text)) ? Number(text) : null;
    }
    const chosen = form.querySelector("input:checked");
    return chosen ? Number(chosen.value) : null;
  }

  function press(action) {
    if (action.needs && answer() === null) {
      wait.textContent = "Answer first, or skip.";
      return;
    }
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      wait.textContent =
        "Python is busy or has stopped. This waits for it; if nothing happens, run the cell again.";
    }, PATIENCE_MS);
    try {
      model.send({ do: action.do, answer: answer() });
    } catch {
      // The kernel is gone, and the line above says so in a moment.
    }
  }

  function drawForm(state) {
    form.replaceChildren();
    const fields = make("fieldset", "", form);
    fields.disabled = Boolean(state.locked);
    const legend = make("legend", "grda-spoken", fields);
    legend.textContent = state.label ?? "";
    (state.options ?? []).forEach((text, k) => {
      const row = make("label", "grda-option", fields);
      const input = make("input", "", row);
      Object.assign(input, { type: "radio", name: group, value: String(k) });
      input.checked = state.chosen === k;
      keepKeys(input);
      make("span", "", row).innerHTML = text;
    });
    if (state.number) {
      const row = make("label", "grda-number-row", fields);
      make("span", "", row).textContent = state.number.label;
      const input = make("input", "", row);
      Object.assign(input, { type: "text", inputMode: "decimal", autocomplete: "off" });
      input.value = state.number.value ?? "";
      keepKeys(input);
      make("span", "", row).textContent = state.number.unit ?? "";
    }
    form.hidden = !(state.options?.length || state.number);
  }

  function drawActions(state) {
    actions.replaceChildren();
    for (const action of state.actions ?? []) {
      const button = make("button", action.primary ? "grda-primary" : "", actions);
      button.type = "button";
      button.dataset.do = action.do;
      keepKeys(button);
      button.textContent = action.label;
      button.addEventListener("click", () => press(action));
    }
    actions.hidden = !actions.childElementCount;
    enable(state);
  }

  function enable(state) {
    const missing = answer() === null;
    (state.actions ?? []).forEach((action, k) => {
      actions.children[k].setAttribute("aria-disabled", String(Boolean(action.needs && missing)));
    });
  }

  function draw() {
    const state = model.get("state");
    const held = card.contains(document.activeElement) ? (document.activeElement.dataset.do ?? "") : null;
    clearTimeout(waiting);
    wait.textContent = "";
    card.setAttribute("aria-label", state.label ?? "");
    const changed = (...parts) =>
      parts.some((part) => JSON.stringify(state[part]) !== JSON.stringify(drawn[part]));
    if (changed("head")) head.innerHTML = state.head ?? "";
    if (changed("options", "number", "chosen", "locked", "label")) drawForm(state);
    if (changed("actions")) drawActions(state);
    if (changed("result")) result.innerHTML = state.result ?? "";
    if (changed("more")) more.innerHTML = state.more ?? "";
    more.querySelectorAll("pre").forEach(keepKeys);
    enable(state);
    const turned = drawn.head !== undefined && changed("head");
    drawn = state;
    if (held !== null && turned) begin();
    else if (held !== null && !card.contains(document.activeElement)) focusNear(held);
  }

  // Another question stands on the card now: it is read from its beginning.
  function begin() {
    card.focus({ preventScroll: true });
    if (head.getBoundingClientRect().top < card.ownerDocument.defaultView.innerHeight * 0.1) card.scrollIntoView();
  }

  // The keyboard stays in the card, though what it stood on may be another button now, or none.
  function focusNear(held) {
    const same = held && actions.querySelector(`[data-do="${held}"]`);
    (same || actions.querySelector("button") || more.querySelector("pre") || card).focus();
  }

  form.addEventListener("input", () => enable(model.get("state")));
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // Enter in the form presses the main button
    const main = (model.get("state").actions ?? []).find((action) => action.primary);
    if (main) press(main);
  });
  model.on("change:state", draw);
  drawForm(model.get("state"));
  draw();
  return () => {
    clearTimeout(waiting);
    model.off("change:state", draw);
    el.replaceChildren(); // the host keeps the emptied view's element for as long as the page lives
  };
}

export default { render };
