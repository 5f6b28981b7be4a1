// The veil: a figure that would answer a question stays covered until the question is answered.
// The page can always lift it by itself, so that nothing stays covered where no kernel runs.

function veilOver(model, root) {
  const words = element("p");
  const button = element("button", { type: "button", textContent: "Show it without an answer" });
  const veil = element("div", { className: "grda-veil" }, words, button);
  button.addEventListener("click", () => {
    model.set("veil", "");
    if (kernelListens(model)) model.save_changes();
    root.querySelector(".grda-control :is(input, select)")?.focus({ preventScroll: true }); // this button is gone
  });
  const show = () => {
    const text = model.get("veil") ?? "";
    if (text) words.textContent = text;
    root.classList.toggle("grda-veiled", Boolean(text));
    veil.hidden = !text;
  };
  root.prepend(veil);
  model.on("change:veil", show);
  show();
  return { stop: () => model.off("change:veil", show) };
}
