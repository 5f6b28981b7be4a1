// The goal box: what to find with the controls, lit where the table says that it is reached.

const KEPT_AFTER_MS = 400; // passing by is not reaching: the controls have to rest there
const GOAL_WORDS = {
  open: ["○", "not yet"],
  here: ["✓", "reached"],
  before: ["✓", "reached before"],
};

function goalBox(model) {
  const spoken = element("p", { className: "grda-goal-spoken" });
  spoken.setAttribute("role", "status");
  const lines = (model.get("goals") ?? []).map((goal) => goalLine(goal));
  const box = element("div", { className: "grda-goal-box" }, ...lines.map((line) => line.row));
  if (lines.length) box.append(spoken);
  else box.hidden = true;
  let timer = 0;

  const keep = () => {
    const here = goalsHere(model);
    const kept = model.get("reached").map((before, k) => before || here[k]);
    const fresh = lines.filter((_, k) => kept[k] && !model.get("reached")[k]);
    if (!fresh.length) return;
    spoken.textContent = fresh.map((line) => `Goal reached: ${line.text}`).join(" ");
    model.set("reached", kept);
    if (kernelListens(model)) model.save_changes();
  };
  const show = () => {
    clearTimeout(timer);
    if (!lines.length || !upToDate(model)) return;
    const here = goalsHere(model);
    const before = model.get("reached");
    lines.forEach((line, k) => line.show(here[k] ? "here" : before[k] ? "before" : "open"));
    if (here.some((there, k) => there && !before[k])) timer = setTimeout(keep, KEPT_AFTER_MS);
  };
  return { box, show, stop: () => clearTimeout(timer) };
}

function goalLine({ text }) {
  const mark = element("span", { className: "grda-goal-mark" });
  mark.setAttribute("aria-hidden", "true");
  const state = element("span", { className: "grda-goal-state" });
  const words = element("span", {}, element("strong", { textContent: "Goal: " }), text);
  const row = element("div", { className: "grda-goal" }, mark, words, state);
  const show = (name) => {
    row.dataset.state = name;
    [mark.textContent, state.textContent] = GOAL_WORDS[name];
  };
  return { row, show, text };
}

// Which goals the table says are reached where the controls stand.
function goalsHere(model) {
  const table = model.get("table");
  if (!table.columns) return model.get("goals").map(() => false);
  const position = table.at ? table.at.map(() => 0) : model.get("index");
  return readRow(table, table.goals, rowOf(table.goals, position));
}
