// A vision transformer run in a given order of its layers, in plain JavaScript: Algorithm 1 of the paper, in float64.
// One function without a closure, so that a worker can be made from its text.
// Letters: B images, T tokens (class token first), D width, H heads, M width of the MLP, C classes.

function vision() {
  const half = new Float32Array(65536);  // the value of every float16
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
    half[bits] = bits & 32768 ? -size : size;
  }

  function decode(text, checksum) {
    const raw = atob(text), bytes = new Uint8Array(raw.length);
    let crc = -1;
    for (let i = 0; i < bytes.length; i++) {
      bytes[i] = raw.charCodeAt(i);
      crc ^= bytes[i];
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    if (((~crc) >>> 0) !== checksum) throw new Error("is damaged: its checksum is not the one it was packed with");
    return Float32Array.from(new Uint16Array(bytes.buffer), (bits) => half[bits]);
  }

  // The parameters as views of one array, in the order of `weights` (packing.py).
  function network(values, s) {
    let at = 0;
    const take = (n) => values.subarray(at, (at += n));
    const norm = () => ({ weight: take(s.width), bias: take(s.width) });
    const linear = (out, inputs) => ({ weight: take(out * inputs), bias: take(out), out, inputs });
    const { width: D, mlp: M } = s, patch = s.channels * s.patch * s.patch, side = s.size / s.patch;
    const net = { s, values, cls: take(D), position: take((side * side + 1) * D), embed: linear(D, patch), layers: [] };
    for (let index = 0; index < s.layers; index++) {
      net.layers.push({ before: norm(), q: linear(D, D), k: linear(D, D), v: linear(D, D), o: linear(D, D),
                        after: norm(), fc1: linear(M, D), fc2: linear(D, M) });
    }
    net.norm = norm();
    net.head = linear(s.classes, D);
    if (at !== values.length) throw new Error("holds another network than it says");
    return net;
  }

  // y (rows, out) = x (rows, inputs) W^T + b, four rows and two columns at a time: eight sums stay in registers.
  function multiply(x, rows, { weight: w, bias, out, inputs }, y) {
    let row = 0;
    for (; row + 3 < rows; row += 4) {
      const a = row * inputs, b = a + inputs, c = b + inputs, d = c + inputs;
      for (let j = 0; j < out; j += 2) {
        const u = j * inputs, last = j + 1 === out, v = last ? u : u + inputs;
        let a0 = bias[j], b0 = a0, c0 = a0, d0 = a0, a1 = last ? a0 : bias[j + 1], b1 = a1, c1 = a1, d1 = a1;
        for (let k = 0; k < inputs; k++) {
          const p = w[u + k], q = w[v + k], xa = x[a + k], xb = x[b + k], xc = x[c + k], xd = x[d + k];
          a0 += xa * p; a1 += xa * q; b0 += xb * p; b1 += xb * q;
          c0 += xc * p; c1 += xc * q; d0 += xd * p; d1 += xd * q;
        }
        let to = row * out + j;
        y[to] = a0; y[to + out] = b0; y[to + 2 * out] = c0; y[to + 3 * out] = d0;
        if (!last) { to++; y[to] = a1; y[to + out] = b1; y[to + 2 * out] = c1; y[to + 3 * out] = d1; }
      }
    }
    for (; row < rows; row++) {
      for (let j = 0; j < out; j++) {
        let sum = bias[j];
        for (let k = 0, u = j * inputs, a = row * inputs; k < inputs; k++) sum += x[a + k] * w[u + k];
        y[row * out + j] = sum;
      }
    }
  }

  function normalise(x, rows, D, { weight, bias }, eps, y) {
    for (let row = 0, at = 0; row < rows; row++, at += D) {
      let mean = 0, variance = 0;
      for (let k = 0; k < D; k++) mean += x[at + k];
      mean /= D;
      for (let k = 0; k < D; k++) variance += (x[at + k] - mean) ** 2;
      const scale = 1 / Math.sqrt(variance / D + eps);
      for (let k = 0; k < D; k++) y[at + k] = (x[at + k] - mean) * scale * weight[k] + bias[k];
    }
  }

  // x Phi(x), with the error function to 1.2e-7 (Numerical Recipes, erfc by Chebyshev fitting).
  function gelu(x, n) {
    for (let i = 0; i < n; i++) {
      const z = Math.abs(x[i]) * Math.SQRT1_2, t = 1 / (1 + 0.5 * z);
      const tail = t * Math.exp(-z * z - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 +
        t * (-0.18628806 + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 +
        t * 0.17087277)))))))));
      x[i] *= x[i] > 0 ? 1 - 0.5 * tail : 0.5 * tail;
    }
  }

  function attend(q, k, v, B, T, D, H, y) {
    const size = D / H, scale = 1 / Math.sqrt(size), weights = new Float64Array(T);
    for (let image = 0; image < B; image++) {
      for (let head = 0; head < H; head++) {
        const first = image * T * D + head * size;
        for (let i = 0; i < T; i++) {
          const from = first + i * D;
          let most = -Infinity, sum = 0;
          for (let j = 0; j < T; j++) {
            let dot = 0;
            for (let c = 0, to = first + j * D; c < size; c++) dot += q[from + c] * k[to + c];
            weights[j] = dot * scale;
            most = Math.max(most, weights[j]);
          }
          for (let j = 0; j < T; j++) sum += weights[j] = Math.exp(weights[j] - most);
          for (let c = 0; c < size; c++) {
            let mean = 0;
            for (let j = 0; j < T; j++) mean += weights[j] * v[first + j * D + c];
            y[from + c] = mean / sum;
          }
        }
      }
    }
  }

  // z (B, T, D): the images (B, channels, size, size) cut into patches and embedded, the class token first.
  function embed(net, images, B) {
    const { width: D, patch: P, size: S, channels } = net.s, side = S / P, T = side * side + 1;
    const patches = new Float64Array(B * side * side * channels * P * P);
    let at = 0;
    for (let image = 0; image < B; image++)
      for (let row = 0; row < side; row++)
        for (let column = 0; column < side; column++)
          for (let channel = 0; channel < channels; channel++)
            for (let y = 0; y < P; y++)
              for (let x = 0; x < P; x++)
                patches[at++] = images[((image * channels + channel) * S + row * P + y) * S + column * P + x];
    const embedded = new Float64Array(B * (T - 1) * D), z = new Float64Array(B * T * D);
    multiply(patches, B * (T - 1), net.embed, embedded);
    for (let image = 0; image < B; image++)
      for (let token = 0; token < T; token++)
        for (let k = 0; k < D; k++)
          z[(image * T + token) * D + k] = net.position[token * D + k] +
            (token ? embedded[(image * (T - 1) + token - 1) * D + k] : net.cls[k]);
    return z;
  }

  // The logits (B, C) of tokens z (B, T, D), from the class token.
  function read({ s, norm, head }, z, B) {
    const D = s.width, T = z.length / (B * D), tokens = new Float64Array(B * D), logits = new Float64Array(B * s.classes);
    for (let image = 0; image < B; image++) tokens.set(z.subarray(image * T * D, image * T * D + D), image * D);
    normalise(tokens, B, D, norm, s.eps, tokens);
    multiply(tokens, B, head, logits);
    return logits;
  }

  // `order` names layers, `nets` the network that each is taken from (one for all, or one for each position);
  // embedding and head are those of `rest`. Returns logits (B, C) and, of the first image, for each position the norm
  // of what the layer adds to the class token, and the class probabilities as they are before the first layer and
  // after every layer, read by the head as if no layer came after it (logit lens).
  function run(rest, nets, images, B, order) {
    const { width: D, mlp: M, heads: H, eps } = rest.s, z = embed(rest, images, B);
    const T = z.length / (B * D), rows = B * T, adds = [], first = z.subarray(0, D);
    const lens = [probabilities(read(rest, first, 1))];
    const [h, q, k, v, o] = Array.from({ length: 5 }, () => new Float64Array(rows * D));
    const inner = new Float64Array(rows * M), before = new Float64Array(D);
    order.forEach((index, position) => {
      const layer = (Array.isArray(nets) ? nets[position] : nets).layers[index];
      before.set(first);
      normalise(z, rows, D, layer.before, eps, h);
      multiply(h, rows, layer.q, q);
      multiply(h, rows, layer.k, k);
      multiply(h, rows, layer.v, v);
      attend(q, k, v, B, T, D, H, h);
      multiply(h, rows, layer.o, o);
      for (let i = 0; i < z.length; i++) z[i] += o[i];
      normalise(z, rows, D, layer.after, eps, h);
      multiply(h, rows, layer.fc1, inner);
      gelu(inner, rows * M);
      multiply(inner, rows, layer.fc2, o);
      let sum = 0;
      for (let i = 0; i < z.length; i++) z[i] += o[i];
      for (let i = 0; i < D; i++) sum += (first[i] - before[i]) ** 2;
      adds.push(Math.sqrt(sum));
      lens.push(probabilities(read(rest, first, 1)));
    });
    return { logits: read(rest, z, B), adds, lens };
  }

  function probabilities(logits) {
    const most = Math.max(...logits), weights = Array.from(logits, (value) => Math.exp(value - most));
    const sum = weights.reduce((a, b) => a + b);
    return weights.map((value) => value / sum);
  }

  // How many of the images are classified correctly.
  function correct(logits, labels) {
    const C = logits.length / labels.length;
    return labels.filter((label, image) => {
      const row = logits.subarray(image * C, image * C + C);
      return row.indexOf(Math.max(...row)) === label;
    }).length;
  }

  return { decode, network, run, correct };
}
