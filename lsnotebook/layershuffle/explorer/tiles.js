// The tiles, one for each position: dragged, walked with the arrow keys, and selected with a click or a tap.
// `acts` is called with places: move(from, to), drop(place), repeat(place), select(place or -1).

function colour(data, layer) {
  const [fill, ink] = data.colours[layer];
  return `--lx-fill: ${fill}; --lx-ink: ${ink}`;
}

function board(track, data, acts) {
  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  let shares = new Map();  // by the tile, the length of its bar
  const focus = (place) => track.children[Math.max(0, Math.min(place, track.children.length - 1))].focus();

  function draw(tiles, selected, merged, focused = [...track.children].indexOf(document.activeElement)) {
    const places = new Map([...track.children].map((e) => [e.dataset.id, e.getBoundingClientRect()]));
    track.replaceChildren(...tiles.map((one, place) => tile(one, place, one.id === selected, merged)));
    if (focused >= 0 && places.size) focus(focused);
    for (const element of track.children) {
      const was = places.get(element.dataset.id), is = element.getBoundingClientRect();
      if (!was || still()) continue;
      element.animate([{ transform: `translate(${was.left - is.left}px, ${was.top - is.top}px)` }, { transform: "none" }],
                      { duration: 220, easing: "cubic-bezier(.2, .8, .2, 1)" });
    }
  }

  function tile(one, place, selected, merged) {
    const element = make("button", { type: "button", class: "lx-tile", style: colour(data, one.layer), "data-id": one.id,
      tabindex: place ? -1 : 0, "aria-pressed": selected,
      "aria-label": `Layer ${one.layer} at position ${place}${merged ? ` from network ${letter(one.source)}` : ""}` },
      make("span", { class: "lx-index" }, String(one.layer)),
      ...(merged ? [make("span", { class: "lx-source" }, letter(one.source))] : []),
      make("span", { class: "lx-adds", title: "what it adds to the class token", style: `--lx-share: ${shares.get(String(one.id)) ?? 0}` }));
    element.addEventListener("keydown", (event) => keys(event, place));
    element.addEventListener("pointerdown", (event) => grab(event, element, place));
    element.addEventListener("click", (event) => event.detail || acts.select(place));  // by the keyboard, or a screen reader
    return element;
  }

  function keys(event, place) {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const others = { Delete: acts.drop, Backspace: acts.drop, r: acts.repeat, R: acts.repeat };
    if (step && (event.shiftKey || event.altKey)) {
      acts.move(place, place + step);
      focus(place + step);
    } else if (step) track.children[place + step]?.focus();
    else if (event.key === "Home") focus(0);
    else if (event.key === "End") focus(Infinity);
    else if (event.key === "Escape") acts.select(-1);
    else if (others[event.key] && !event.ctrlKey && !event.metaKey) others[event.key](place);
    else return;
    event.preventDefault();
  }

  function grab(event, element, place) {
    if (event.button) return;
    const start = [event.clientX, event.clientY], others = [...track.children].filter((other) => other !== element);
    let moved = false;
    element.setPointerCapture(event.pointerId);
    const nearest = (now) => {
      const far = (other) => {
        const box = other.getBoundingClientRect();
        return Math.hypot(now.clientX - box.left - box.width / 2, now.clientY - box.top - box.height / 2);
      };
      return others.length ? others.reduce((a, b) => (far(b) < far(a) ? b : a)) : element;
    };
    const follow = (now) => {
      const [dx, dy] = [now.clientX - start[0], now.clientY - start[1]];
      moved ||= others.length > 0 && Math.hypot(dx, dy) > 5;
      if (!moved) return;
      element.classList.add("lx-lifted");
      element.style.transform = `translate(${dx}px, ${dy}px)`;
      for (const other of others) other.classList.toggle("lx-target", other === nearest(now));
    };
    const end = (now) => {
      const to = [...track.children].indexOf(nearest(now));
      release();
      if (!moved) return acts.select(place);
      acts.move(place, to);
      focus(to);
    };
    const cancel = () => {
      release();
      element.style.transform = "";
    };
    const release = () => {
      for (const [name, act] of Object.entries(heard)) element.removeEventListener(name, act);
      for (const one of track.children) one.classList.remove("lx-lifted", "lx-target");
    };
    const heard = { pointermove: follow, pointerup: end, pointercancel: cancel };
    for (const [name, act] of Object.entries(heard)) element.addEventListener(name, act);
  }

  function adds(values) {
    const tiles = [...track.children], most = Math.max(...values);
    shares = new Map(tiles.map((element, place) => [element.dataset.id, values[place] / most]));
    for (const element of tiles) element.lastElementChild.style.setProperty("--lx-share", shares.get(element.dataset.id));
  }

  return { draw, adds, focus };
}
