// A guided walk: a few orders, each with what to look at, and their accuracies side by side.

// The steps for so many layers and LayerShuffle networks: all orders are fixed, whatever comes of them.
function stepsOf(L, networks) {
  const all = sequence(L), fixed = Math.max(1, Math.floor(L / 4)), drawn = shuffled(all, generator(1)), gone = L >> 1;
  const first = fixed === 1 ? "layer 0" : `layers 0 to ${fixed - 1}`;
  const steps = [
    { name: "In sequence", order: all, text: `All ${L} layers run as they were arranged before training. This accuracy is what the other steps are compared with.` },
    { name: "Shuffled", order: drawn, text: "The same layers, each once, in an order drawn by chance. The ViT was never trained for that; LayerShuffle was trained with a new order for every batch." },
    { name: `First ${fixed} fixed`, order: anchored(fixed, drawn), text: `Now ${first} ${fixed === 1 ? "is" : "are"} back in front, and the others run in the order of step 2. What comes back of the ViT's accuracy was lost to these first layers alone.` },
    { name: "One dropped", order: all.filter((layer) => layer !== gone), text: `In sequence again, but without layer ${gone}. Which of the two misses it more?` },
  ];
  if (networks > 1) {
    steps.push({ name: "Merged", order: all, sources: all.map((layer) => layer % networks), text: `In sequence, with each layer from another of ${networks} LayerShuffle networks in turn, as the letters say: they were trained apart, from one base. The ViT stays as it was.` });
  }
  return steps.map((step) => ({ sources: step.order.map(() => 0), ...step }));
}

// The panel: go(step) is asked to run it, and known(step) for its accuracies, one list for each group, once they are there.
function guide(data, steps, go, known) {
  const panel = make("section", { class: "lx-walk", "aria-label": "Guided walk" }), results = make("tbody");
  let at = -1;

  function visit(step) {
    at = step;
    draw();
    if (at >= 0) go(steps[at]);
  }

  // By a button of the panel, which keeps the focus.
  function step(to) {
    visit(to < steps.length ? to : -1);
    panel.querySelector(at < 0 ? ".lx-start" : ":focus, .lx-next").focus();
  }

  // The accuracies as they come, below buttons that stay: one that is replaced while it is pressed is never clicked.
  function fill() {
    const rows = steps.map((one, place) => [one, place, known(one)]).filter(([, place, shares]) => shares || place === at);
    results.replaceChildren(...rows.map(([one, place, shares]) => make("tr", { class: place === at ? "lx-truth" : "" },
      make("th", { scope: "row" }, `${place + 1} ${one.name}`), ...data.titles.map((_, which) => make("td", {}, shares ? percent(mean(shares[which])) : "…")))));
  }

  function draw() {
    const focused = panel.contains(document.activeElement) && document.activeElement.className;
    if (at < 0) return panel.replaceChildren(button("start", `guided walk in ${steps.length} steps`, () => step(0)));
    fill();
    panel.replaceChildren(
      make("div", { class: "lx-told" }, make("p", { class: "lx-step" }, `${at + 1} of ${steps.length}: ${steps[at].name}`), make("p", {}, steps[at].text)),
      make("table", { class: "lx-table" },
        make("thead", {}, make("tr", {}, make("td"), ...data.titles.map((_, which) => make("th", { scope: "col" }, key(data, which))))),
        results),
      make("div", { class: "lx-controls" },
        make("button", { type: "button", class: "lx-button lx-back", "aria-disabled": at === 0, onclick: () => at && step(at - 1) }, "back"),
        button("next", at + 1 === steps.length ? "finish" : "next", () => step(at + 1)),
        button("end", "end the walk", () => step(steps.length))));
    if (focused) panel.querySelector(`[class="${focused}"]`)?.focus();
  }

  panel.addEventListener("keydown", (event) => event.key === "Escape" && at >= 0 && step(steps.length));
  draw();
  return { panel, visit, fill, step: () => at };
}
