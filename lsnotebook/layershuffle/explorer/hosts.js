// Where the explorer stands: a static page, which computes by itself, or a live notebook (anywidget).

// The static page: the data lie beside the root, each network in a block of its own, which may still be on its way.
// The first explorer of a page keeps its order in the address.
function page(root) {
  const block = (name) => root.parentElement.querySelector(`[data-network="${name}"]`);
  const text = async (k, waits) => {
    const name = data.networks[k].name, loading = () => document.readyState === "loading";
    while (loading() && !block(name)?.nextElementSibling) {  // the next block begins where this one has ended
      waits();
      await new Promise((go) => setTimeout(go, 50));
    }
    return block(name)?.textContent ?? "";
  };
  const data = JSON.parse(root.parentElement.querySelector(".lx-data").textContent);
  const here = root === document.querySelector(".lx-page > .lx") && {
    link: (to) => `${location.href.split("#")[0]}#${to}`,
    visited(to, replaces) {
      if (location.hash === `#${to}`) return;
      try { window.history[replaces ? "replaceState" : "pushState"](null, "", `#${to}`); } catch { /* a frame without an address */ }
    },
  };
  try {
    data.pixels = vision().decode(data.pixels.text, data.pixels.checksum);
    const control = mount(root, data, { engine: browser(data, text), ...here });
    if (!here) return;
    addEventListener("hashchange", () => control.visit(location.hash));
    if (location.hash) control.visit(location.hash);
  } catch (error) {
    root.replaceChildren(make("p", { role: "alert", class: "lx-problem" }, error.message));
  }
}

// The live widget (anywidget): the kernel is told of every change, and computes what is too large for the browser.
function render({ model, el }) {
  const data = structuredClone(model.get("_data")), answers = new Map();
  data.pixels = vision().decode(data.pixels.text, data.pixels.checksum);
  let serial = 0, newest;
  const ask = (content) => new Promise((answer) => { answers.set(++serial, answer); model.send({ ...content, id: serial }); });
  const kernel = async (question, hear) => {
    const { order, sources, image, what } = newest = question;
    for (const one of what) {
      if (question !== newest) return;
      (await ask({ order, sources, image, what: one })).forEach((values, group) =>
        values.forEach((value, member) => hear({ what: one, group, member, value })));
    }
  };
  model.on("msg:custom", ({ id, answer }) => { answers.get(id)?.(answer); answers.delete(id); });
  const tell = (name) => (value) => { model.set(name, value); model.save_changes(); };
  const style = document.createElement("style");
  style.textContent = data.style;
  const root = make("div", { class: "lx" });
  el.append(style, root);
  const engine = model.get("_kernel") ? kernel : browser(data, async (k) => data.networks[k].text);
  const control = mount(root, data, { engine, order: tell("order"), image: tell("image"),
    probabilities: tell("probabilities"), accuracy: tell("accuracy") });
  control.order(model.get("order"));
  model.on("change:order", () => control.order(model.get("order")));
  model.on("change:image", () => control.image(model.get("image")));
}

export default { render };
