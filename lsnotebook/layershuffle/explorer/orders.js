// Orders: how they are drawn, read, named in an address, and marked in the figures. L is the number of layers.

const sequence = (n) => Array.from({ length: n }, (_, index) => index);
const inversions = (order) => order.reduce((sum, a, i) => sum + order.slice(i + 1).filter((b) => a > b).length, 0);
const letter = (source) => "ABCDEFGH"[source];

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

// The first `count` layers in their places, and the others in the order given.
const anchored = (count, order) => [...sequence(count), ...order.filter((layer) => layer >= count)];

// The order that a text stands for; throws a sentence.
function parse(text, L) {
  const inside = text.trim().replace(/^order\s*=\s*/, "").replace(/^[[(]([^\])]*)[\])]$/, "$1").replace(/,\s*$/, "");
  const words = inside.split(/[\s,]+/).filter(Boolean);
  const last = L - 1;
  if (!words.length) throw new Error(`The order is empty; name at least one layer from 0 to ${last}.`);
  const odd = words.find((word) => !/^\d+$/.test(word));
  if (odd) throw new Error(`“${odd}” is no layer; write indices from 0 to ${last}, such as [0, 2, 1].`);
  const unknown = words.find((word) => Number(word) > last);
  if (unknown) throw new Error(`The order names layer ${unknown}, but the layers are 0 to ${last}; take another index.`);
  if (words.length > 4 * L) throw new Error(`The order has ${words.length} layers; take at most ${4 * L}.`);
  return words.map(Number);
}

// What follows # in a link to an order: order=2-0-1, and where they matter from=ABA (the network of each layer, by its
// letter) and image=4.
function address(order, sources, image) {
  const from = sources.some(Boolean) ? `&from=${sources.map(letter).join("")}` : "";
  return `order=${order.join("-")}${from}${image ? `&image=${image}` : ""}`;
}

// What a link asks for: { order, sources, image } or { step } of the walk (walk=1 is the first); null where it asks for
// something else. Besides indices, order=reversed and order=first-3 (layers 0 to 2 fixed, the others reversed) hold for
// any number of layers. Throws a sentence.
function asked(hash, L, networks, images, steps) {
  const given = new URLSearchParams(hash.replace(/^#/, "")), whole = (name) => /^\d+$/.test(given.get(name)) ? Number(given.get(name)) : NaN;
  if (given.has("walk")) {
    if (!(whole("walk") >= 1 && whole("walk") <= steps)) throw new Error(`the walk has steps 1 to ${steps}.`);
    return { step: whole("walk") - 1 };
  }
  if (!given.has("order")) return null;
  const text = given.get("order"), back = sequence(L).reverse(), first = text.match(/^first-(\d+)$/);
  const order = text === "reversed" ? back : first ? anchored(Math.min(L, Number(first[1])), back) : parse(text.replaceAll("-", " "), L);
  const from = given.get("from") ?? "A".repeat(order.length), sources = [...from].map((one) => "ABCDEFGH".indexOf(one));
  if (sources.length !== order.length || sources.some((source) => source < 0 || source >= networks))
    throw new Error(`“from” names one network for each layer, with letters from A to ${letter(networks - 1)}.`);
  const image = given.has("image") ? whole("image") : 0;
  if (!(image < images)) throw new Error(`the images are 0 to ${images - 1}.`);
  return { order, sources, image };
}

// The marks of orders: the first that fits. Each is told how to read the axis, pairs of layers out of order.
const KINDS = {
  merged: { name: "merged", of: "M0 -1.25L1.25 0L0 1.25L-1.25 0Z", axis: "a merged order stands where it would without merging" },
  repeated: { name: "a layer repeated", of: "M-.95 -.95H.95V.95H-.95Z", axis: "each run of a repeated layer counts by itself" },
  pruned: { name: "layers left out", of: "M0 1.2L-1.2 -.9H1.2Z", axis: "a layer left out counts in no pair" },
  all: { name: "every layer once", of: "M1 0A1 1 0 1 1 -1 0A1 1 0 1 1 1 0Z", axis: "" },
};

function kind(order, sources, L) {
  const different = new Set(order).size;
  return sources.some(Boolean) ? "merged" : different < order.length ? "repeated" : different < L ? "pruned" : "all";
}
