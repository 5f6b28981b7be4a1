// A figure's model on a page without a kernel: a plain object with what the module asks a model for.
// state: the widget's state, with "tables", a message of Table for each preset ({} while it is not there).

function pageModel(state) {
  state.table = state.tables[state.option];
  const listeners = new Map();
  const heard = (name) => listeners.get(`change:${name}`) ?? [];
  return {
    get: (name) => state[name],
    set(name, value) {
      state[name] = value;
      if (name === "option" && state.tables[value].columns) state.table = state.tables[value];
      for (const callback of heard(name)) callback();
    },
    on: (name, callback) => listeners.set(name, [...(listeners.get(name) ?? []), callback]),
    off: (name, callback) => listeners.set(name, (listeners.get(name) ?? []).filter((c) => c !== callback)),
    save_changes() {},
  };
}
