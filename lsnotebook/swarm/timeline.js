// A swarm's run, played: a row for each node, a bar for each hop in the colour of its layer, deaths crossed out.
// The data beside it: { layers, colours, nodes, hops: [{ node, layer, start, end, request }], deaths: [{ node, time }],
// answered: [time], end }, times in hops.

const SVG = "http://www.w3.org/2000/svg";
const ROW = 22, LEFT = 80, TOP = 6, PER_HOP = 34, SPEED = 4;  // pixels a row, beside, above and a hop; hops a second

function make(tag, attributes = {}, ...children) {
  const element = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function player(root) {
  const data = JSON.parse(root.querySelector("script").textContent);
  const moments = [...new Set([0, ...data.hops.flatMap((hop) => [hop.start, hop.end]), ...data.deaths.map((one) => one.time)])]
    .filter((time) => time <= data.end).sort((a, b) => a - b);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const died = (node, time) => data.deaths.find((one) => one.node === node && one.time <= time);
  let now = 0, playing = false, last = 0;

  const picture = make("svg:svg", { role: "img", class: "sw-picture" });
  const toggle = make("button", { type: "button", onclick: () => play(!playing) }, "play");
  const back = make("button", { type: "button", onclick: () => step(-1) }, "step back");
  const ahead = make("button", { type: "button", onclick: () => step(1) }, "step");
  const slider = make("input", { type: "range", min: 0, max: data.end, step: "any", value: 0, "aria-label": "time, hops",
    oninput: () => { play(false); go(Number(slider.value)); }, onkeydown: keyed });
  const said = make("p", { class: "sw-said" });

  // The arrow keys of the slider step from event to event, as the buttons do.
  function keyed(event) {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (by) { event.preventDefault(); step(by); }
  }

  function step(by) {
    play(false);
    const near = 1e-9;
    go(by > 0 ? moments.find((time) => time > now + near) ?? data.end : moments.findLast((time) => time < now - near) ?? 0);
  }

  function go(time) {
    now = Math.min(Math.max(time, 0), data.end);
    slider.value = now;
    draw();
  }

  function play(on) {
    if (on && now >= data.end) now = 0;
    playing = on;
    toggle.textContent = on ? "pause" : "play";
    said.setAttribute("aria-live", on ? "off" : "polite");  // a reader is not told of each frame
    last = performance.now();
    if (on) requestAnimationFrame(frame);
  }

  // Who asks for less motion sees a picture for each hop of the clock, and no bar that moves.
  function frame(time) {
    if (!playing || !root.isConnected) return;
    const passed = still.matches ? (time - last) / 1000 : Math.min(time - last, 100) / 1000 * SPEED;  // a hidden page stands still
    if (!still.matches || passed >= 1) {
      last = time;
      go(still.matches ? Math.floor(now) + 1 : now + passed);
    }
    if (now >= data.end) play(false);
    else requestAnimationFrame(frame);
  }

  function bar(hop, from, y) {
    // What began before the window is drawn from its edge on, with its number in what is seen of it.
    const start = Math.max(hop.start, from), [fill, ink] = data.colours[hop.layer], x = LEFT + (start - from) * PER_HOP;
    const width = (Math.min(hop.end, now) - start) * PER_HOP - 1, label = `${hop.layer}`;
    const parts = [make("svg:rect", { x, y: y + 2, width: Math.max(0, width), height: ROW - 4, rx: 2, fill })];
    if (width > 14) parts.push(make("svg:text", { x: x + width / 2, y: y + ROW / 2 + 4, fill: ink, "text-anchor": "middle" }, label));
    return parts;
  }

  const wide = () => picture.clientWidth || 600;
  const hopsSeen = () => (wide() - LEFT - 8) / PER_HOP;

  function draw() {
    const width = wide(), height = TOP + ROW * data.nodes.length + 20;
    const seen = hopsSeen(), from = Math.max(0, now - seen), names = [], shown = [];
    data.nodes.forEach((node, row) => {
      const y = TOP + row * ROW, death = died(node, now), end = death ? LEFT + Math.max(0, death.time - from) * PER_HOP : width;
      names.push(make("svg:text", { x: 0, y: y + ROW / 2 + 4 }, `${death ? "✕ " : ""}node ${node}`));
      shown.push(make("svg:line", { x1: LEFT, x2: end, y1: y + ROW / 2, y2: y + ROW / 2, class: "sw-rail" }));
      for (const hop of data.hops) if (hop.node === node && hop.start < now && hop.end > from) shown.push(...bar(hop, from, y));
      if (death && death.time >= from) shown.push(make("svg:text", { x: end, y: y + ROW / 2 + 6, class: "sw-death" }, "✕"));
    });
    for (let tick = Math.ceil(from / 5) * 5; tick <= from + seen; tick += 5) {
      shown.push(make("svg:text", { x: LEFT + (tick - from) * PER_HOP, y: height - 4, "text-anchor": "middle" }, `${tick}`));
    }
    picture.replaceChildren(...names, ...shown);
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    picture.setAttribute("height", height);
    tell();
  }

  function tell() {
    const runs = data.hops.filter((hop) => hop.start <= now && now < hop.end);
    const dead = data.nodes.filter((node) => died(node, now));
    const texts = runs.map((hop) => `node ${hop.node} runs layer ${hop.layer} of request ${hop.request}`);
    const answered = data.answered.filter((time) => time <= now).length;
    const brief = `${now.toFixed(1)} hops: ${answered} of ${data.answered.length} requests answered; nodes at work: ${runs.length}; dead: ${dead.join(", ") || "none"}.`;
    said.textContent = playing ? brief : `${brief} ${texts.join("; ")}`;
    picture.setAttribute("aria-label", brief);
    slider.setAttribute("aria-valuetext", `${now.toFixed(1)} hops`);
  }

  root.replaceChildren(make("div", { class: "sw-controls" }, toggle, back, ahead, slider), picture, said);
  new ResizeObserver(draw).observe(picture);
  go(Math.min(12, hopsSeen(), data.end));  // with something to see, from the beginning on
}

for (const root of document.querySelectorAll(".sw-player:not([data-open])")) {
  root.dataset.open = "yes";
  player(root);
}
