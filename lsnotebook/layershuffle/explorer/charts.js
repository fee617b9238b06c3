// What the models predict, as figures, each with a text that says the same. `which` is 0 for the baseline, 1 for
// LayerShuffle; `data` is what mount is given.

const COLOURS = ["var(--lx-vit)", "var(--lx-shuffle)"];

function key(data, which) {
  return make("span", { class: "lx-key", style: `--lx-key: ${COLOURS[which]}` }, data.titles[which]);
}

// The accuracy of each group: the mean, and each network's dot between 0 and 100 %.
function totals(data, accuracies) {
  return accuracies.map((shares, which) => {
    const range = `${percent(Math.min(...shares))} to ${percent(Math.max(...shares))}`;
    const dots = shares.map((share) => make("span", { class: "lx-dot", title: percent(share),
      style: `left: ${100 * share}%; background: ${COLOURS[which]}` }));
    return make("div", { class: "lx-total" }, key(data, which), make("strong", {}, percent(mean(shares))),
      make("span", { class: "lx-lane", role: "img", "aria-label": `each network, from 0 to 100 %: ${shares.map(percent).join(", ")}` },
        make("span", { class: "lx-tick", title: "chance", style: `left: ${100 / data.shape.classes}%` }), ...dots),
      make("span", { class: "lx-range" }, shares.length > 1 ? range : "one network"));
  });
}

function verdicts(data, answers, truth) {
  return answers.map((shares, which) => {
    const said = shares.indexOf(Math.max(...shares)), right = said === truth;
    return make("div", { class: "lx-verdict" }, key(data, which), make("span", {}, make("strong", {}, data.classes[said]),
      make("span", { class: right ? "lx-right" : "lx-wrong" }, right ? " ✓ right" : " ✗ wrong")));
  });
}

// Of many classes, the ten that either model thinks likeliest, and the right one.
function bars(data, answers, truth) {
  const most = (label) => Math.max(...answers.map((shares) => shares[label]));
  const likeliest = sequence(data.shape.classes).sort((a, b) => most(b) - most(a)).slice(0, 10);
  const shown = data.shape.classes > 12 ? [...new Set([truth, ...likeliest])] : sequence(data.shape.classes);
  const head = make("tr", {}, make("td"), ...answers.map((_, which) => make("th", { scope: "col" }, key(data, which))));
  return make("table", { class: "lx-table" }, make("thead", {}, head),
    make("tbody", {}, ...shown.map((label) => make("tr", { class: label === truth ? "lx-truth" : "" },
      make("th", { scope: "row" }, data.classes[label] + (label === truth ? " ✓" : "")),
      ...answers.map((shares, which) => make("td", {},
        make("span", { class: "lx-bar", style: `--lx-share: ${shares[label]}; background: ${COLOURS[which]}` }),
        make("span", { class: "lx-share" }, (100 * shares[label]).toFixed(0))))))));
}

// Axes: shares from 0 to 100 % upwards, with chance; 0 to `most` to the right, with what it means below.
function axes(label, most, chance, under) {
  const W = 320, H = 190, left = 44, right = W - 8, bottom = 34;
  const x = (at) => left + (at / most) * (right - left), y = (share) => 8 + (1 - share) * (H - bottom - 8);
  const plot = make("svg:svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": label });
  const text = (at, up, words, anchor = "middle") => plot.append(make("svg:text", { x: at, y: up, "text-anchor": anchor }, words));
  const across = (share, name) => plot.append(make("svg:line", { x1: left, x2: right, y1: y(share), y2: y(share), class: name }));
  for (const share of [0, 0.5, 1]) {
    across(share, "lx-grid");
    text(left - 5, y(share) + 3.5, `${100 * share} %`, "end");
  }
  across(chance, "lx-chance");
  text(right, y(chance) - 4, "chance", "end");
  text((left + right) / 2, H - 4, under);
  return { plot, x, y, tick: (at, words, anchor) => text(x(at), H - 18, words, anchor) };
}

// Every order tried so far: mean accuracy against the pairs of layers out of order; of the last, each network as well.
function scatter(data, tried) {
  const L = data.shape.layers, most = Math.max((L * (L - 1)) / 2, ...tried.map((one) => one.far));
  const { plot, x, y, tick } = axes(`${tried.length} ${tried.length === 1 ? "order" : "orders"} tried: top-1 accuracy against the pairs of layers out of order`,
                                    most, 1 / data.shape.classes, "pairs of layers out of order");
  tick(0, "0");
  tick(most, most, "end");
  tried.forEach((one, number) => one.accuracies.forEach((shares, which) => {
    const last = number === tried.length - 1, at = x(one.far);
    if (last) plot.append(...shares.map((share) => make("svg:circle", { cx: at, cy: y(share), r: 2, fill: COLOURS[which] })));
    plot.append(make("svg:path", { d: KINDS[one.kind].of, fill: COLOURS[which], class: `lx-mean ${last ? "lx-now" : "lx-then"}`,
      transform: `translate(${at} ${y(mean(shares))}) scale(${last ? 6 : 4})` },
      make("svg:title", {}, `${data.titles[which]}: ${percent(mean(shares))} with [${one.order.join(", ")}]`)));
  }));
  const here = Object.entries(KINDS).filter(([name]) => tried.some((one) => one.kind === name)).reverse();
  const axis = here.map(([, { axis }]) => axis).filter(Boolean).join("; ");
  return [plot,
    make("p", { class: "lx-legend" }, ...here.map(([, { name, of }]) => make("span", {},
      make("svg:svg", { viewBox: "-1.5 -1.5 3 3", "aria-hidden": "true" }, make("svg:path", { d: of, fill: "currentColor" })), name))),
    ...(axis ? [make("p", { class: "lx-note lx-axis" }, `On the axis, ${axis}.`)] : [])];
}

// How the answer forms: the probability of the right class before the first layer and after every layer; thick the
// first network of each group, thin the others.
function lens(data, found, order, truth) {
  const P = order.length, every = Math.ceil(P / 16);
  const { plot, x, y, tick } = axes(`Probability of the right class, ${data.classes[truth]}, after every layer; the table below has the numbers`,
                                    P, 1 / data.shape.classes, "layer that has just run (in: none yet)");
  ["in", ...order].forEach((name, at) => at % every || tick(at, name));
  found.forEach((networks, which) => [...networks].reverse().forEach((one, place) => {
    const points = one.lens.map((shares, at) => `${x(at).toFixed(1)},${y(shares[truth]).toFixed(1)}`);
    plot.append(make("svg:polyline", { points: points.join(" "), stroke: COLOURS[which],
      class: `lx-line${place === networks.length - 1 ? " lx-first" : ""}` }));
  }));
  const cell = (shares) => `${data.classes[shares.indexOf(Math.max(...shares))]} (${(100 * shares[truth]).toFixed(0)})`;
  const table = make("table", { class: "lx-table" },
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "after"), ...data.titles.map((_, which) => make("th", { scope: "col" }, key(data, which))))),
    make("tbody", {}, ...["in", ...order].map((name, at) => make("tr", {}, make("th", { scope: "row" }, at ? `layer ${name}` : "none"),
      ...found.map(([first]) => make("td", {}, cell(first.lens[at])))))));
  return [plot, table];
}
