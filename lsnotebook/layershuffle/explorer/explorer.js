// The explorer of layer orders. `mount(root, data, bridge)` builds it in `root`: the controls, the state, and what is
// asked of the bridge's engine, which computes (engine.js). The bridge is told of every change (hosts.js).

function mount(root, data, bridge) {
  const L = data.shape.layers, groups = [0, 1].map((group) => data.networks.flatMap((one, k) => (one.group === group ? [k] : [])));
  const state = { tiles: [], past: [], image: 0, seed: 0, count: 0, merged: false, selected: null, question: null };
  const start = data.start ?? sequence(L);
  const known = new Map();  // what each order tried so far gave; the last one tried is the last
  const steps = stepsOf(L, groups[1].length), seeds = groups[0].map((k) => data.networks[k].seed);
  const $ = (name) => root.querySelector(`.lx-${name}`);
  const heading = (words) => make("p", { class: "lx-heading" }, words);
  const walk = guide(data, steps, go, (step) => known.get(named(step.order, step.sources))?.accuracies);
  const changes = { "original order": original, shuffle, reverse, "drop three at random": dropThree, ...(groups[1].length > 1 && { merge }), undo };
  const acts = { "← earlier": (place) => move(place, place - 1), "later →": (place) => move(place, place + 1), repeat, drop };

  root.replaceChildren(
    walk.panel,
    make("div", { class: "lx-controls", role: "group", "aria-label": "Change the order" },
      ...Object.entries(changes).map(([name, act]) => button(`do-${name.split(" ")[0]}`, name, act)),
      make("label", { class: "lx-seed" }, "seed", make("input", { type: "number", min: 0, max: 9999, value: 0,
        class: "lx-seed-value", oninput: (event) => { state.seed = Number(event.target.value) || 0; state.count = 0; } }))),
    make("div", { class: "lx-flow" },
      make("div", { class: "lx-input" }),
      make("div", { class: "lx-track", role: "group", "aria-label": "Layers in running order" }),
      make("div", { class: "lx-output lx-result" })),
    make("div", { class: "lx-controls lx-acts", role: "group", "aria-label": "The selected layer" }, make("span", { class: "lx-hint lx-which" }),
      ...Object.entries(acts).map(([name, act]) => button(`act-${name.match(/[a-z]+/)}`, name, () => selected() >= 0 && act(selected())))),
    make("div", { class: "lx-more" }, make("span", {}, "add"), make("div", { class: "lx-shelf", role: "group", "aria-label": "Add a layer" })),
    make("p", { class: "lx-hint" }, "Drag a layer to move it; click or tap it to select it; add one to bring it back or run it twice. ",
      "Keys: arrows walk, Shift and arrows move, Delete drops, R repeats."),
    make("form", { class: "lx-text", onsubmit: (event) => { event.preventDefault(); paste(); } },
      make("label", {}, "order=", make("input", { class: "lx-order", spellcheck: "false", autocomplete: "off",
        "aria-describedby": "lx-problem" })),
      make("button", { type: "submit", class: "lx-button" }, "run"), button("copy", "copy", () => copy(`[${order().join(", ")}]`)),
      ...(bridge.link ? [button("link", "copy link", () => copy(bridge.link(address(order(), sources(), state.image))))] : [])),
    make("p", { class: "lx-problem", id: "lx-problem", role: "alert" }),
    make("div", { class: "lx-totals lx-result", role: "group", "aria-label": "Accuracy" }),
    make("p", { class: "lx-status" }, make("span", { class: "lx-note" }), make("progress", { class: "lx-progress", "aria-label": "networks", max: data.networks.length })),
    make("div", { class: "lx-answers lx-result" },
      make("section", { "aria-label": "One image" },
        heading(`One image, network of seed ${seeds[0]}: how sure, %`), make("div", { class: "lx-strip", role: "radiogroup", "aria-label": "Image" }),
        make("div", { class: "lx-bars" })),
      make("section", { "aria-label": "How the answer forms" },
        heading("How the answer forms: right class, after every layer"), make("div", { class: "lx-lens" }),
        make("p", { class: "lx-note" }, "The head reads the class token early, as if no layer came after it (logit lens).",
          data.networks.length > 2 ? ` Thick: seed ${seeds[0]}; thin: the other networks.` : ""),
        make("details", {}, make("summary", {}, "as a table: the answer, and the right class in %"), make("div", { class: "lx-lens-table" }))),
      make("section", { "aria-label": "Orders tried" }, heading("Every order tried so far"), make("div", { class: "lx-history" }))),
    make("p", { class: "lx-said", "aria-live": "polite" }));
  const track = board($("track"), data, { move, drop, repeat, select });

  // --- the order ---------------------------------------------------------------------------------------------------

  let serial = 0;
  const tile = (layer, source = 0) => ({ layer, source, id: serial++ });
  const order = () => state.tiles.map((one) => one.layer);
  const sources = () => state.tiles.map((one) => one.source);
  const selected = () => state.tiles.findIndex((one) => one.id === state.selected);
  const random = () => generator(1000 * state.seed + state.count++);
  const tilesOf = (order, sources = []) => order.map((layer, place) => tile(layer, sources[place]));
  const named = (order, sources) => JSON.stringify([order, sources]);

  function change(tiles, said) {
    if (!tiles.length) return complain(`The order would be empty; keep at least one layer from 0 to ${L - 1}.`);
    if (tiles.length > 4 * L) return complain(`The order would have ${tiles.length} layers; take at most ${4 * L}.`);
    state.past.push(state.tiles);
    settle(tiles, said);
  }

  // `where` is the address of the new state, null where it is there already.
  function settle(tiles, said, where = address(tiles.map((one) => one.layer), tiles.map((one) => one.source), state.image)) {
    state.tiles = tiles;
    state.merged = tiles.some((one) => one.source);
    complain("");
    draw();
    say(said);
    bridge.order?.(order());
    if (where !== null) bridge.visited?.(where);
    compute();
  }

  function original() { change(tilesOf(sequence(L)), "Original order."); }
  function shuffle() { change(shuffled(state.tiles, random()), "Shuffled."); }
  function reverse() { change([...state.tiles].reverse(), "Reversed."); }
  function undo() { if (state.past.length) settle(state.past.pop(), "Undone."); else say("Nothing to undo."); }
  function dropThree() {
    if (state.tiles.length < 4) return complain("Fewer than four layers are left; bring some back first.");
    const gone = new Set(shuffled(sequence(state.tiles.length), random()).slice(0, 3));
    change(state.tiles.filter((_, place) => !gone.has(place)), "Three layers dropped.");
  }
  function merge() {
    if (state.merged) return change(state.tiles.map((one) => ({ ...one, source: 0 })), "Layers of one network again.");
    const drawn = shuffled(sequence(state.tiles.length).map((place) => place % groups[1].length), random());  // evenly
    change(state.tiles.map((one, place) => ({ ...one, source: drawn[place] })),
           "Each layer now comes from one of the LayerShuffle networks.");
  }
  function drop(place) {
    const gone = state.tiles[place].layer;
    change(state.tiles.filter((_, other) => other !== place), `Layer ${gone} dropped.`);
  }
  function repeat(place) {
    const twin = tile(state.tiles[place].layer, state.tiles[place].source);
    change(state.tiles.toSpliced(place + 1, 0, twin), `Layer ${twin.layer} runs once more.`);
  }
  function bring(layer) {
    const later = state.tiles.findIndex((one) => one.layer > layer);
    const place = order().includes(layer) || later < 0 ? state.tiles.length : later;
    change(state.tiles.toSpliced(place, 0, tile(layer)), `Layer ${layer} runs at position ${place}.`);
  }
  function move(from, to) {
    if (to < 0 || to >= state.tiles.length || to === from) return;
    const tiles = [...state.tiles], [moved] = tiles.splice(from, 1);
    tiles.splice(to, 0, moved);
    change(tiles, `Layer ${moved.layer} moved to position ${to}.`);
  }
  function select(place) {
    const id = state.tiles[place]?.id ?? null;
    state.selected = id === state.selected ? null : id;
    draw();
  }
  function paste() {
    try {
      change(tilesOf(parse($("order").value, L)), "Order taken.");
    } catch (error) {
      complain(error.message);
    }
  }
  async function copy(text) {
    try { await navigator.clipboard.writeText(text); } catch { return say(`Copy it by hand: ${text}`); }
    say(`Copied ${text}.`);
  }
  function go(step) {
    state.past.push(state.tiles);
    settle(tilesOf(step.order, step.sources), `${step.name}. ${step.text}`, `walk=${steps.indexOf(step) + 1}`);
  }
  // A link or the back button; without anything after #, the order that it opened in.
  function visit(hash) {
    try {
      const to = hash ? asked(hash, L, groups[1].length, data.labels.length, steps.length) : { order: start, image: state.image };
      if (!to) return;
      if (to.step !== undefined) walk.visit(to.step);
      else {
        show(to.image);
        settle(tilesOf(to.order, to.sources), "Order taken from the link.", null);
      }
      const { top, bottom } = $("track").getBoundingClientRect();
      if (top < 0 || bottom > innerHeight) root.scrollIntoView({ block: "start" });
    } catch (error) {
      complain(`This link is ignored: ${error.message[0].toLowerCase()}${error.message.slice(1)}`);
    }
  }
  function complain(sentence) {
    $("problem").textContent = sentence;
    $("order").setAttribute("aria-invalid", Boolean(sentence));
    root.classList.toggle("lx-invalid", Boolean(sentence));  // what is shown is of the order before
  }
  function say(sentence) { $("said").textContent = sentence; }

  function draw() {
    const here = order(), place = selected();
    track.draw(state.tiles, state.selected, state.merged);
    const focused = [...$("shelf").children].indexOf(document.activeElement);
    $("shelf").replaceChildren(...sequence(L).map((layer) => make("button", {
      type: "button", class: `lx-spare${here.includes(layer) ? "" : " lx-missing"}`, style: colour(data, layer),
      "aria-label": here.includes(layer) ? `Run layer ${layer} once more` : `Bring back layer ${layer}`,
      onclick: () => bring(layer) }, String(layer))));
    if (focused >= 0) $("shelf").children[focused].focus();  // for the next one
    $("which").textContent = place < 0 ? "No layer is selected." : `Layer ${here[place]}, at position ${place}:`;
    for (const act of $("acts").querySelectorAll("button")) act.setAttribute("aria-disabled", place < 0);
    $("order").value = `[${here.join(", ")}]`;
    $("do-merge")?.setAttribute("aria-pressed", state.merged);
  }

  // --- what the models predict -------------------------------------------------------------------------------------

  // Asks for the image at once, and for the accuracies where the order is new; answers come network by network.
  function compute() {
    const now = order(), from = sources(), id = named(now, from), before = known.get(id);
    const tasks = groups.flatMap((networks, group) => group && state.merged
      ? [{ group, member: 0, rest: networks[0], nets: from.map((source) => networks[source]) }]
      : networks.map((k, member) => ({ group, member, rest: k, nets: now.map(() => k) })));
    tasks.sort((a, b) => a.member - b.member);
    const question = state.question = { order: now, sources: from, image: state.image, tasks, what: before ? ["one"] : ["one", "accuracy"] };
    const found = { one: [[], []], accuracy: [[], []] };
    if (before) took(id, before);
    else busy("Computing …", 0);
    bridge.engine(question, (answer) => {
      if (answer.error) return fail(answer.error);
      if (question !== state.question) return;
      if (answer.loading !== undefined) return busy(`Loading network ${answer.loading + 1} of ${data.networks.length} …`, answer.loading);
      found[answer.what][answer.group][answer.member] = answer.value;
      if (answer.what === "one" && found.one.every(([first]) => first)) answered(found.one.map((group) => group.filter(Boolean)));
      if (known.has(id)) return;
      const count = found.accuracy.flat().length;
      busy(`Computing network ${Math.min(count + 1, tasks.length)} of ${tasks.length} …`, count);
      if (count === tasks.length) took(id, { order: now, accuracies: found.accuracy, far: inversions(now), kind: kind(now, from, L) });
    });
  }

  function busy(words, count) {
    root.classList.add("lx-busy");
    $("status").firstElementChild.textContent = words;
    $("progress").value = count;
  }

  function fail(sentence) {
    state.question = null;
    complain(sentence);
    root.classList.remove("lx-busy");
    $("status").firstElementChild.textContent = "";
    for (const name of ["totals", "bars", "output", "history", "lens", "lens-table"]) $(name).replaceChildren();
  }

  // `found` has for each group its networks' answers about the image, the first network's first.
  function answered(found) {
    const truth = data.labels[state.image], answers = found.map(([first]) => first.lens.at(-1));
    const [plot, table] = lens(data, found, state.question.order, truth);
    $("output").replaceChildren(...verdicts(data, answers, truth));
    $("bars").replaceChildren(bars(data, answers, truth));
    $("lens").replaceChildren(plot);
    $("lens-table").replaceChildren(table);
    track.adds(found[1][0].adds);
    bridge.probabilities?.(answers);
  }

  function took(id, one) {
    known.delete(id);
    known.set(id, one);
    root.classList.remove("lx-busy");
    $("status").firstElementChild.textContent = `Of ${data.labels.length} images spread over the validation images; profile ${data.profile}, ` +
      (seeds.length > 1 ? `networks of seeds ${seeds.join(", ")}: the mean, and a dot for each.` : `network of seed ${seeds[0]}.`);
    $("totals").replaceChildren(...totals(data, one.accuracies));
    $("history").replaceChildren(...scatter(data, [...known.values()]));
    $("said").append(` ${one.accuracies.map((shares, which) => `${data.titles[which]}: ${percent(mean(shares))}.`).join(" ")}`);
    walk.fill();
    bridge.accuracy?.(one.accuracies.map(mean));
  }

  // --- the images --------------------------------------------------------------------------------------------------

  function picture(image) {
    const canvas = make("canvas", { width: data.shape.size, height: data.shape.size, role: "img",
                                    "aria-label": `image of ${data.classes[data.labels[image]]}` });
    const context = canvas.getContext("2d"), n = data.shape.size ** 2, pixels = context.createImageData(data.shape.size, data.shape.size);
    for (let at = 0; at < n; at++) {
      for (let channel = 0; channel < 3; channel++) {
        const from = (image * data.shape.channels + Math.min(channel, data.shape.channels - 1)) * n + at;
        pixels.data[4 * at + channel] = 127.5 * (data.pixels[from] + 1);
      }
      pixels.data[4 * at + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
    return canvas;
  }

  // The first image of each class, and no more than fit.
  const offered = [...new Set(data.labels)].slice(0, 12).sort((a, b) => a - b).map((label) => data.labels.indexOf(label));

  function strip() {
    $("strip").replaceChildren(...offered.map((image, place) => make("button", {
      type: "button", role: "radio", class: "lx-image", "aria-label": `image of ${data.classes[data.labels[image]]}`,
      onclick: () => choose(image), onkeydown: (event) => step(event, place) }, picture(image))));
  }

  // A group of radio buttons is one stop of the Tab key; the arrows walk inside it.
  function step(event, place) {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = (place + by + offered.length) % offered.length;
    choose(offered[next]);
    $("strip").children[next].focus();
  }

  function choose(image) {
    show(image);
    bridge.image?.(image);
    bridge.visited?.(address(order(), sources(), image), true);
    compute();
  }

  function show(image) {
    state.image = image;
    const stop = Math.max(0, offered.indexOf(image));  // an image set from Python may not be among them
    [...$("strip").children].forEach((element, place) => {
      element.setAttribute("aria-checked", offered[place] === image);
      element.tabIndex = place === stop ? 0 : -1;
    });
    $("input").replaceChildren(picture(image));
  }

  strip();
  show(0);
  settle(tilesOf(start), "", null);
  return {
    order: (next) => JSON.stringify(next) !== JSON.stringify(order()) && change(tilesOf(next), "Order set."),
    image: (next) => next !== state.image && choose(next),
    visit,
  };
}
