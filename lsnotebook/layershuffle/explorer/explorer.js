// The explorer of layer orders: tiles that can be moved, dropped, repeated and merged, and what the models then predict.
// `mount(root, data, bridge)` builds it in `root`; the bridge computes and is told of every change (hosts.js).

const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes = {}, ...children) {
  const element = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const sequence = (n) => Array.from({ length: n }, (_, index) => index);
const inversions = (order) => order.reduce((sum, a, i) => sum + order.slice(i + 1).filter((b) => a > b).length, 0);

// mulberry32: the same seed gives the same draws in every browser.
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled(values, random) {
  const drawn = [...values];
  for (let i = drawn.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [drawn[i], drawn[j]] = [drawn[j], drawn[i]];
  }
  return drawn;
}

// The order that a text stands for; throws a sentence.
function parse(text, layers) {
  const inside = text.trim().replace(/^order\s*=\s*/, "").replace(/^[[(]([^\])]*)[\])]$/, "$1").replace(/,\s*$/, "");
  const words = inside.split(/[\s,]+/).filter(Boolean);
  const last = layers - 1;
  if (!words.length) throw new Error(`The order is empty; name at least one layer from 0 to ${last}.`);
  const odd = words.find((word) => !/^\d+$/.test(word));
  if (odd) throw new Error(`“${odd}” is no layer; write indices from 0 to ${last}, such as [0, 2, 1].`);
  const unknown = words.find((word) => Number(word) > last);
  if (unknown) throw new Error(`The order names layer ${unknown}, but the layers are 0 to ${last}; take another index.`);
  return words.map(Number);
}

function mount(root, data, bridge = {}) {
  const L = data.shape.layers, C = data.shape.classes;
  const [baseline, ...shuffles] = data.networks;
  const state = { tiles: [], past: [], tried: [], image: 0, seed: 0, count: 0, merged: false, grabbed: null };
  const $ = (name) => root.querySelector(`.lx-${name}`);
  const heading = (words) => make("p", { class: "lx-heading" }, words);
  const letter = (source) => "ABCDEFGH"[source];

  root.replaceChildren(
    make("div", { class: "lx-controls", role: "group", "aria-label": "Change the order" },
      ...[["original order", original], ["shuffle", shuffle], ["reverse", reverse], ["drop three", dropThree],
          ...(shuffles.length > 1 ? [["merge", merge]] : []), ["undo", undo]].map(([name, act]) =>
        make("button", { type: "button", class: `lx-button lx-do-${name.split(" ")[0]}`, onclick: act },
             name === "drop three" ? "drop three at random" : name)),
      make("label", { class: "lx-seed" }, "seed", make("input", { type: "number", min: 0, max: 9999, value: 0,
        class: "lx-seed-value", oninput: (event) => { state.seed = Number(event.target.value) || 0; state.count = 0; } }))),
    make("div", { class: "lx-flow" },
      make("div", { class: "lx-input" }),
      make("div", { class: "lx-track", role: "group", "aria-label": "Layers in running order" }),
      make("div", { class: "lx-output" })),
    make("div", { class: "lx-more" }, make("span", {}, "add"), make("div", { class: "lx-shelf", role: "group", "aria-label": "Add a layer" })),
    make("p", { class: "lx-hint" }, "Drag a layer to move it, click it to drop it; add one to bring it back or run it twice. ",
      "Keys: arrows walk, Shift and arrows move, Delete drops, R repeats."),
    make("form", { class: "lx-text", onsubmit: (event) => { event.preventDefault(); paste(); } },
      make("label", {}, "order=", make("input", { class: "lx-order", spellcheck: "false", autocomplete: "off",
        "aria-describedby": "lx-problem" })),
      make("button", { type: "submit", class: "lx-button" }, "run"),
      make("button", { type: "button", class: "lx-button lx-copy", onclick: copy }, "copy")),
    make("p", { class: "lx-problem", id: "lx-problem", role: "alert" }),
    make("div", { class: "lx-answers" },
      make("section", { "aria-label": "One image" },
        heading("One image"), make("div", { class: "lx-strip", role: "radiogroup", "aria-label": "Image" })),
      make("section", { "aria-label": "How sure each model is" },
        heading("How sure each model is, %"), make("div", { class: "lx-bars" })),
      make("section", { "aria-label": "Accuracy" },
        heading(`Right of ${data.labels.length} images`), make("div", { class: "lx-totals" }), make("div", { class: "lx-history" }))),
    make("p", { class: "lx-said", "aria-live": "polite" }));

  // --- the order ---------------------------------------------------------------------------------------------------

  let serial = 0;
  const tile = (layer, source = 0) => ({ layer, source, id: serial++ });
  const order = () => state.tiles.map((one) => one.layer);
  const random = () => generator(1000 * state.seed + state.count++);

  function change(tiles, said) {
    if (!tiles.length) return complain(`The order would be empty; keep at least one layer from 0 to ${L - 1}.`);
    state.past.push(state.tiles);
    settle(tiles, said);
  }

  function settle(tiles, said) {
    state.tiles = tiles;
    state.merged = tiles.some((one) => one.source);
    complain("");
    draw();
    say(said);
    bridge.order?.(order());
    compute();
  }

  function original() { change(sequence(L).map((layer) => tile(layer)), "Original order."); }
  function shuffle() { change(shuffled(state.tiles, random()), "Shuffled."); }
  function reverse() { change([...state.tiles].reverse(), "Reversed."); }
  function undo() { if (state.past.length) settle(state.past.pop(), "Undone."); else say("Nothing to undo."); }
  function dropThree() {
    if (state.tiles.length < 4) return complain("Fewer than four layers are left; bring some back first.");
    const gone = new Set(shuffled(sequence(state.tiles.length), random()).slice(0, 3));
    change(state.tiles.filter((_, place) => !gone.has(place)), "Three layers dropped.");
  }
  function merge() {
    if (state.merged) return change(state.tiles.map((one) => ({ ...one, source: 0 })), "Layers of one model again.");
    const draws = random();
    change(state.tiles.map((one) => ({ ...one, source: Math.floor(draws() * shuffles.length) })),
           "Each layer now comes from one of the LayerShuffle models.");
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
  function paste() {
    try {
      change(parse($("order").value, L).map((layer) => tile(layer)), "Order taken.");
    } catch (error) {
      complain(error.message);
    }
  }
  async function copy() {
    const text = `[${order().join(", ")}]`;
    try { await navigator.clipboard.writeText(text); } catch { $("order").select(); document.execCommand?.("copy"); }
    say(`Copied ${text}.`);
  }
  function complain(sentence) {
    $("problem").textContent = sentence;
    $("order").setAttribute("aria-invalid", Boolean(sentence));
  }
  function say(sentence) { $("said").textContent = sentence; }

  // --- the tiles ---------------------------------------------------------------------------------------------------

  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  function draw(focus) {
    const track = $("track"), places = new Map([...track.children].map((e) => [e.dataset.id, e.getBoundingClientRect()]));
    const focused = focus ?? [...track.children].indexOf(document.activeElement);
    track.replaceChildren(...state.tiles.map(draggable));
    if (focused >= 0 && places.size) track.children[Math.min(focused, track.children.length - 1)].focus();
    for (const element of track.children) {
      const was = places.get(element.dataset.id), is = element.getBoundingClientRect();
      if (!was || still()) continue;
      element.animate([{ transform: `translate(${was.left - is.left}px, ${was.top - is.top}px)` }, { transform: "none" }],
                      { duration: 220, easing: "cubic-bezier(.2, .8, .2, 1)" });
    }
    const here = order();
    $("shelf").replaceChildren(...sequence(L).map((layer) => make("button", {
      type: "button", class: `lx-spare${here.includes(layer) ? "" : " lx-missing"}`, style: colour(layer),
      "aria-label": here.includes(layer) ? `Run layer ${layer} once more` : `Bring back layer ${layer}`,
      onclick: () => bring(layer) }, String(layer))));
    $("order").value = `[${here.join(", ")}]`;
    $("do-merge")?.setAttribute("aria-pressed", state.merged);
  }

  function colour(layer) {
    const [fill, ink] = data.colours[layer];
    return `--lx-fill: ${fill}; --lx-ink: ${ink}`;
  }

  function draggable(one, place) {
    const element = make("button", { type: "button", class: "lx-tile", style: colour(one.layer), "data-id": one.id,
      tabindex: place ? -1 : 0, "aria-label": `Layer ${one.layer} at position ${place}` +
        (state.merged ? ` from model ${letter(one.source)}` : "") },
      make("span", { class: "lx-index" }, String(one.layer)),
      ...(state.merged ? [make("span", { class: "lx-source" }, letter(one.source))] : []),
      make("span", { class: "lx-adds", title: "what it adds to the class token" }));
    element.addEventListener("keydown", (event) => keys(event, place));
    element.addEventListener("pointerdown", (event) => grab(event, element, place));
    return element;
  }

  function keys(event, place) {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const acts = { Delete: drop, Backspace: drop, Enter: drop, " ": drop, r: repeat, R: repeat };
    if (step && (event.shiftKey || event.altKey)) {
      move(place, place + step);
      $("track").children[Math.max(0, Math.min(place + step, state.tiles.length - 1))].focus();
    } else if (step) $("track").children[place + step]?.focus();
    else if (event.key === "Home") $("track").children[0].focus();
    else if (event.key === "End") $("track").lastElementChild.focus();
    else if (acts[event.key] && !event.ctrlKey && !event.metaKey) acts[event.key](place);
    else return;
    event.preventDefault();
  }

  function grab(event, element, place) {
    if (event.button) return;
    const start = [event.clientX, event.clientY], track = $("track");
    let moved = false;
    element.setPointerCapture(event.pointerId);
    const follow = (now) => {
      const [dx, dy] = [now.clientX - start[0], now.clientY - start[1]];
      moved ||= Math.hypot(dx, dy) > 5;
      if (!moved) return;
      element.classList.add("lx-lifted");
      element.style.transform = `translate(${dx}px, ${dy}px)`;
      for (const other of track.children) other.classList.toggle("lx-target", other === nearest(now) && other !== element);
    };
    const nearest = (now) => {
      const far = (other) => {
        const box = other.getBoundingClientRect();
        return Math.hypot(now.clientX - box.left - box.width / 2, now.clientY - box.top - box.height / 2);
      };
      return [...track.children].filter((other) => other !== element).reduce((a, b) => (far(b) < far(a) ? b : a), element.nextElementSibling ?? element.previousElementSibling ?? element);
    };
    const end = (now) => {
      element.removeEventListener("pointermove", follow);
      element.removeEventListener("pointerup", end);
      element.removeEventListener("pointercancel", cancel);
      if (!moved) return drop(place);
      const to = [...track.children].indexOf(nearest(now));
      element.classList.remove("lx-lifted");
      move(place, to);
      draw(to);
    };
    const cancel = () => { moved = true; element.style.transform = ""; draw(); };
    element.addEventListener("pointermove", follow);
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", cancel);
  }

  // --- what the models predict -------------------------------------------------------------------------------------

  const names = [["ViT", "var(--lx-vit)"], ["LayerShuffle", "var(--lx-shuffle)"]];

  async function compute() {
    const now = order(), sources = state.tiles.map((one) => one.source), key = JSON.stringify([now, sources]);
    try {
      const one = await bridge.engine.image(now, sources, state.image);
      if (key !== JSON.stringify([order(), state.tiles.map((t) => t.source)])) return;
      verdicts(one.probabilities);
      bars(one.probabilities);
      contributions(one.adds);
      bridge.probabilities?.(one.probabilities);
      const both = await bridge.engine.accuracy(now, sources);
      if (!both || key !== JSON.stringify([order(), state.tiles.map((t) => t.source)])) return;
      state.tried.push({ far: inversions(now), layers: now.length, both, order: now });
      totals(both);
      history();
      bridge.accuracy?.(both);
    } catch (error) {
      complain(error.message);
      for (const name of ["totals", "bars", "output", "history"]) $(name).replaceChildren();
    }
  }

  function contributions(adds) {
    const most = Math.max(...adds);
    [...$("track").children].forEach((element, place) => {
      element.lastElementChild.style.setProperty("--lx-share", adds[place] / most);
    });
  }

  const key = (which) => make("span", { class: "lx-key", style: `--lx-key: ${names[which][1]}` }, names[which][0]);

  function verdicts(both) {
    $("output").replaceChildren(...both.map((shares, which) => {
      const said = shares.indexOf(Math.max(...shares)), right = said === data.labels[state.image];
      return make("div", { class: "lx-verdict" }, key(which), make("span", {}, make("strong", {}, data.classes[said]),
        make("span", { class: right ? "lx-right" : "lx-wrong" }, right ? " ✓ right" : " ✗ wrong")));
    }));
  }

  function bars(both) {
    const truth = data.labels[state.image];
    $("bars").replaceChildren(
      make("table", { class: "lx-table" },
        make("thead", {}, make("tr", {}, make("td"), ...both.map((_, which) => make("th", { scope: "col" }, key(which))))),
        make("tbody", {}, ...sequence(C).map((label) => make("tr", { class: label === truth ? "lx-truth" : "" },
          make("th", { scope: "row" }, data.classes[label] + (label === truth ? " ✓" : "")),
          ...both.map((shares, which) => make("td", {},
            make("span", { class: "lx-bar", style: `--lx-share: ${shares[label]}; background: ${names[which][1]}` }),
            make("span", { class: "lx-share" }, (100 * shares[label]).toFixed(0)))))))));
  }

  function totals(both) {
    $("totals").replaceChildren(...both.map((share, which) =>
      make("div", { class: "lx-total" }, key(which), make("strong", {}, percent(share)))));
  }

  // Every order tried so far: accuracy against the pairs of layers out of order.
  function history() {
    const W = 320, H = 190, left = 44, bottom = 34, most = Math.max((L * (L - 1)) / 2, ...state.tried.map((one) => one.far));
    const x = (far) => left + (far / most) * (W - left - 8), y = (share) => (1 - share) * (H - bottom - 8) + 8;
    const text = (at, up, words, anchor) => make("svg:text", { x: at, y: up, "text-anchor": anchor }, words);
    const plot = make("svg:svg", { viewBox: `0 0 ${W} ${H}`, role: "img",
      "aria-label": `${state.tried.length} orders tried; top-1 accuracy against the pairs of layers out of order` });
    for (const share of [0, 0.5, 1]) {
      plot.append(make("svg:line", { x1: left, x2: W - 8, y1: y(share), y2: y(share), class: "lx-grid" }),
                  text(left - 5, y(share) + 3.5, `${100 * share} %`, "end"));
    }
    plot.append(make("svg:line", { x1: left, x2: W - 8, y1: y(1 / C), y2: y(1 / C), class: "lx-chance" }),
                text(W - 8, y(1 / C) - 4, "chance", "end"), text(left, H - 18, "0", "middle"), text(W - 8, H - 18, most, "end"),
                text((W + left) / 2, H - 4, "pairs of layers out of order", "middle"));
    state.tried.forEach((one, number) => one.both.forEach((share, which) => {
      const last = number === state.tried.length - 1;
      const dot = make("svg:circle", { cx: x(one.far), cy: y(share), r: last ? 6 : 3.5, fill: names[which][1],
        class: last ? "lx-now" : "lx-then" });
      dot.append(make("svg:title", {}, `${names[which][0]}: ${percent(share)} with [${one.order.join(", ")}]`));
      plot.append(dot);
    }));
    $("history").replaceChildren(plot);
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
      onclick: () => choose(image), onkeydown: (event) => walk(event, place) }, picture(image))));
  }

  // A group of radio buttons is one stop of the Tab key; the arrows walk inside it.
  function walk(event, place) {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = (place + step + offered.length) % offered.length;
    choose(offered[next]);
    $("strip").children[next].focus();
  }

  function choose(image) {
    show(image);
    bridge.image?.(image);
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
  settle(sequence(L).map((layer) => tile(layer)), "");
  return {
    order: (next) => JSON.stringify(next) !== JSON.stringify(order()) && change(next.map((layer) => tile(layer)), "Order set."),
    image: (next) => next !== state.image && choose(next),
  };
}
