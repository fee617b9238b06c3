// What computes in the browser: workers that share the networks, so that dragging never waits.
// engine(question, hear) is asked for what the tasks say, each a network in an order: `one` image (adds, lens) or the
// `accuracy`. Each answer is heard by itself, { group, member, what, value }; besides { loading: k } and { error }.

function browser(data, text) {
  const count = Math.max(1, Math.min(4, data.networks.length, (navigator.hardwareConcurrency || 2) - 1));
  const url = URL.createObjectURL(new Blob([`(${work})((${vision})())`], { type: "text/javascript" }));
  const workers = Array.from({ length: count }, () => ({ worker: new Worker(url), has: new Set() }));
  let newest = 0, heard;
  for (const { worker } of workers) {
    worker.postMessage({ pixels: data.pixels, labels: data.labels, shape: data.shape });
    worker.onmessage = ({ data: answer }) => (answer.error || answer.id === newest) && heard(answer);
  }
  return async ({ order, image, tasks, what }, hear) => {
    const id = ++newest;
    heard = hear;
    for (const one of what) {
      for (const [number, task] of tasks.entries()) {
        const { worker, has } = workers[number % count];
        for (const k of new Set([task.rest, ...task.nets])) {
          if (!has.has(k)) {
            const values = await text(k, () => hear({ loading: k }));
            if (!has.has(k)) worker.postMessage({ ...data.networks[k], k, text: values });
            has.add(k);
          }
        }
        if (id !== newest) return;
        worker.postMessage({ ...task, id, what: one, order, image });
      }
    }
  };
}

// In a worker: tasks in turn, but only those of the newest question; of accuracies, some images at a time.
function work(V) {
  const nets = new Map(), some = 50;
  let given, queue = [], newest = 0, busy = false, wrong = "";
  const pause = () => new Promise((go) => setTimeout(go));
  const run = ({ rest, nets: from, order }, first, count) => {
    const n = given.shape.channels * given.shape.size ** 2;
    return V.run(nets.get(rest), from.map((k) => nets.get(k)), given.pixels.subarray(first * n, (first + count) * n), count, order);
  };
  const accuracy = async (task) => {
    let right = 0;
    for (let first = 0; first < given.labels.length; first += some) {
      const labels = given.labels.slice(first, first + some);
      right += V.correct(run(task, first, labels.length).logits, labels);
      await pause();
      if (task.id !== newest) return null;
    }
    return right / given.labels.length;
  };
  const one = (task) => { const { adds, lens } = run(task, task.image, 1); return { adds, lens }; };

  async function next() {
    busy = true;
    for (let task; (task = queue.shift());) {
      const value = task.what === "one" ? one(task) : await accuracy(task);
      if (value !== null) postMessage({ ...task, value });
    }
    busy = false;
  }

  onmessage = ({ data }) => {
    if (data.labels) given = data;
    else if (data.text !== undefined) {
      try { nets.set(data.k, V.network(V.decode(data.text, data.checksum), given.shape)); }
      catch (error) { wrong ||= `The network “${data.name}” ${error.message}; build the page again.`; }
    } else if (wrong) postMessage({ error: wrong });
    else {
      newest = data.id;
      queue = [...queue.filter((task) => task.id === newest), data];
      if (!busy) next();
    }
  };
}
