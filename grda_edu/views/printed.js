// What the work printed and how it failed, below its picture: it pushes nothing aside that is looked at.

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "grda-training-printed";
  const part = (role, name) => {
    const pre = document.createElement("pre");
    pre.setAttribute("role", role);
    pre.setAttribute("aria-label", name);
    pre.tabIndex = 0; // scrolled by keyboard too
    pre.dataset.lmSuppressShortcuts = "true";
    root.append(pre);
    return pre;
  };
  const printed = part("log", "What was printed meanwhile");
  const problem = part("alert", "The error that ended it");
  problem.className = "grda-training-problem";
  el.append(root);
  const draw = () => {
    const atEnd = printed.scrollHeight - printed.scrollTop - printed.clientHeight < 4;
    for (const [node, name] of [[printed, "printed"], [problem, "problem"]]) {
      node.textContent = model.get(name);
      node.hidden = !node.textContent;
    }
    if (atEnd) printed.scrollTop = printed.scrollHeight;
  };
  const events = ["change:printed", "change:problem"];
  events.forEach((name) => model.on(name, draw));
  draw();
  return () => {
    events.forEach((name) => model.off(name, draw));
    el.replaceChildren(); // the host keeps the emptied view's element for as long as the page lives
  };
}

export default { render };
