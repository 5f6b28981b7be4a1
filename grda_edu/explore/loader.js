// All that a figure brings along itself. The module that draws comes with the library, once a page: a
// module that a page has imported stays for as long as the page, and a cell may run a hundred times.

const TRIES = 100;
const BETWEEN_MS = 100;
const modules = (globalThis.__grda_edu_figures__ ??= new Map()); // source -> the module, imported

// A page that is opened again makes its models in any order: the library may come after a figure.
async function library(model) {
  const id = model.get("library").slice("IPY_MODEL_".length);
  for (let tries = 1; ; tries++) {
    try {
      return await model.widget_manager.get_model(id);
    } catch (error) {
      if (tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
    }
  }
}

async function figures(model) {
  const source = (await library(model)).get("module");
  if (!modules.has(source)) modules.set(source, imported(source));
  return modules.get(source);
}

async function imported(source) {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    return (await import(url)).default;
  } finally {
    URL.revokeObjectURL(url);
  }
}

export default {
  // Not waited for: the host sends no message to a model that is not ready within two seconds.
  initialize({ model }) {
    const cleanup = figures(model).then((module) => module.initialize({ model }));
    return () => cleanup.then((clean) => clean());
  },
  async render({ model, el }) {
    return (await figures(model)).render({ model, el });
  },
};
