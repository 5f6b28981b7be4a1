// "Copy as Python": the lines that put a figure where it stands now, for a cell of the learner's own.

function pythonOf(model) {
  const name = model.get("code") || "";
  const controls = model.get("controls");
  const index = model.get("index");
  const choice = model.get("choice");
  const isName = /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name);
  const figure = isName ? name : "figure";
  const settings = controls.map((control, axis) => `${figure}.${control.name} = ${control.python[index[axis]]}`);
  // A drop-down comes first: it may move sliders.
  if (choice.options) settings.unshift(`${figure}.${choice.name} = ${choice.python[model.get("option")]}`);
  return (isName || !name ? settings : [`${figure} = ${name}`, ...settings, figure]).join("\n");
}

function codeBlock(model, row) {
  const id = newId("code");
  const text = element("textarea", { id, readOnly: true, spellcheck: false });
  const said = element("p", { className: "grda-code-said" });
  said.setAttribute("role", "status");
  const label = element("label", { htmlFor: id, textContent: "Python for this position" });
  const box = element("div", { className: "grda-code", hidden: true }, label, text, said);
  const button = element("button", { type: "button", textContent: "Copy as Python" });
  button.setAttribute("aria-expanded", "false");
  button.setAttribute("aria-controls", (box.id = newId("code-box")));

  const show = () => {
    text.value = pythonOf(model);
    text.rows = text.value.split("\n").length;
  };
  const open = (opened) => {
    box.hidden = !opened;
    button.setAttribute("aria-expanded", `${opened}`);
  };
  button.addEventListener("click", async () => {
    if (!box.hidden) return open(false);
    open(true);
    show();
    said.textContent = "";
    text.focus({ preventScroll: true });
    text.select();
    try {
      await navigator.clipboard.writeText(text.value);
      said.textContent = "Copied.";
    } catch {
      // No clipboard for this page: the lines are marked, and any way to copy them works.
      said.textContent = "The lines are selected: copy them with Ctrl + C (⌘ C).";
    }
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Tab") return;
    event.stopPropagation(); // the notebook's shortcuts
    if (event.key !== "Escape") return;
    open(false);
    button.focus();
  });
  const isReached = model.get("code") !== null; // by a cell: what a page recorded is not
  if (row.childElementCount && isReached) row.append(button);
  return { box, show: () => box.hidden || show() };
}
