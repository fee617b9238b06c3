// Where the explorer stands: a static page, which computes by itself, or a live notebook (anywidget).

// The browser: one image here, the accuracy over all images in a worker, so that dragging never waits for it.
function browser(data) {
  const V = vision(), nets = new Map();
  data.pixels = V.decode(data.pixels.text, data.pixels.checksum);
  const net = (k) => {
    if (!nets.has(k)) {
      const { name, text, checksum } = data.networks[k];
      try { nets.set(k, V.network(V.decode(text(), checksum), data.shape)); }
      catch (error) { throw new Error(`The network “${name}” ${error.message}; build the page again.`); }
    }
    return nets.get(k);
  };
  const url = URL.createObjectURL(new Blob([`(${work})((${vision})())`], { type: "text/javascript" }));
  const worker = new Worker(url), waiting = new Map(), known = new Set();
  worker.postMessage({ pixels: data.pixels, labels: data.labels, shape: data.shape });
  worker.onmessage = ({ data: { id, both } }) => { waiting.get(id)?.(both); waiting.delete(id); };
  let newest = 0;
  return {
    async image(order, sources, image) {
      const n = data.shape.channels * data.shape.size ** 2, pixels = data.pixels.subarray(image * n, image * n + n);
      const vit = V.run(net(0), net(0), pixels, 1, order);
      const shuffle = V.run(net(1), sources.map((source) => net(1 + source)), pixels, 1, order);
      return { probabilities: [vit, shuffle].map((one) => V.probabilities(one.logits)), adds: shuffle.adds };
    },
    accuracy(order, sources) {
      for (const k of new Set([0, 1, ...sources.map((source) => 1 + source)])) {
        if (!known.has(k)) worker.postMessage({ k, values: net(k).values });
        known.add(k);
      }
      const id = ++newest;
      worker.postMessage({ id, order, sources });
      return new Promise((answer) => waiting.set(id, answer));
    },
  };
}

// In the worker: of several pending questions only the newest is answered.
function work(V) {
  const nets = new Map();
  let given, newest = null, busy = false;
  const next = () => {
    const { id, order, sources } = newest, B = given.labels.length;
    newest = null;
    const of = (nets_) => V.accuracy(V.run(Array.isArray(nets_) ? nets.get(1) : nets_, nets_, given.pixels, B, order).logits, given.labels);
    postMessage({ id, both: [of(nets.get(0)), of(sources.map((source) => nets.get(1 + source)))] });
    busy = newest !== null;
    if (busy) setTimeout(next);
  };
  onmessage = ({ data }) => {
    if (data.labels) given = data;
    else if (data.values) nets.set(data.k, V.network(data.values, given.shape));
    else {
      if (newest) postMessage({ id: newest.id, both: null });
      newest = data;
      if (!busy) setTimeout(next);
      busy = true;
    }
  };
}

// The static page: the data lie beside the root, each network in a block of its own that is decoded when it is needed.
function page(root) {
  const data = JSON.parse(root.parentElement.querySelector(".lx-data").textContent);
  for (const one of data.networks) one.text = () => root.parentElement.querySelector(`[data-network="${one.name}"]`).textContent;
  try {
    return mount(root, data, { engine: browser(data) });
  } catch (error) {
    root.replaceChildren(make("p", { role: "alert", class: "lx-problem" }, error.message));
  }
}

// The live widget (anywidget): the kernel is told of every change, and computes what is too large for the browser.
function render({ model, el }) {
  const data = structuredClone(model.get("_data")), asked = new Map();
  data.networks.forEach((one) => { const text = one.text; one.text = () => text; });
  let engine, serial = 0;
  if (model.get("_kernel")) {
    data.pixels = vision().decode(data.pixels.text, data.pixels.checksum);
    const ask = (what) => new Promise((answer) => { asked.set(++serial, answer); model.send({ ...what, id: serial }); });
    model.on("msg:custom", ({ id, answer }) => { asked.get(id)?.(answer); asked.delete(id); });
    engine = { image: (order, sources, image) => ask({ order, sources, image }), accuracy: (order, sources) => ask({ order, sources }) };
  } else engine = browser(data);
  const tell = (name) => (value) => { model.set(name, value); model.save_changes(); };
  const style = document.createElement("style");
  style.textContent = data.style;
  const root = make("div", { class: "lx" });
  el.append(style, root);
  const control = mount(root, data, { engine, order: tell("order"), image: tell("image"),
    probabilities: tell("probabilities"), accuracy: tell("accuracy") });
  control.order(model.get("order"));
  model.on("change:order", () => control.order(model.get("order")));
  model.on("change:image", () => control.image(model.get("image")));
}

export default { render };
