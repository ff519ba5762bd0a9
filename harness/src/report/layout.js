// The data and its layout: which call stands in which lane, and where a time is.

const data = JSON.parse(document.getElementById("data").textContent);
const GUTTER = 104, AXIS = 24, BAND = 20, LANES = 430, FEW = 60, SECOND = 1e9;
const KINDS = ["ok", "fail", "info"];
// A run without a second event has no length; it is looked at as a millisecond.
const END = Math.max(data.end, data.begin + 1e6);

/** The calls as objects, in the order of their starts. */
const calls = (() => {
  const { index, start, took, process, node, kind, key, label, detail } = data.calls;
  let time = 0;
  return index.map((name, i) => {
    time += start[i];
    return {
      index: name, from: time, to: time + Math.max(took[i], 0), open: took[i] < 0, process: process[i],
      node: data.texts[node[i]], kind: kind[i], key: key[i], label: data.texts[label[i]], detail: data.texts[detail[i]],
    };
  });
})();

for (const anomaly of data.anomalies) anomaly.witness = new Set(anomaly.calls.map((at) => calls[at]));

/** What is looked at. `view` is in nanoseconds; `key` is null for all keys. */
const state = { view: [data.begin, END], anomaly: null, key: null, byProcess: false, even: false, hover: null, picked: null };

const seconds = (ns, digits = 3) => (ns / SECOND).toFixed(digits) + " s";
const span = (ns) => ns < 1e3 ? ns + " ns" : ns < 1e6 ? (ns / 1e3).toFixed(0) + " µs" : ns < SECOND ? (ns / 1e6).toFixed(2) + " ms" : seconds(ns);

/** Puts intervals into the first row that is free when they begin. */
function pack(intervals, until) {
  const rows = [];
  for (const it of intervals) {
    let row = rows.find((row) => row.free <= it.from);
    if (!row) rows.push((row = { free: 0, items: [] }));
    row.items.push(it);
    row.free = until(it);
  }
  return rows.map((row) => row.items);
}

const faultEnd = (fault) => fault.until ?? END;
const faultRows = pack(data.faults, (fault) => faultEnd(fault) + 1);

/** The lanes: rows of calls under the name of their group. */
function layout() {
  const drawn = calls.filter((call) => state.key === null || call.key === state.key || state.anomaly?.witness.has(call));
  const groups = new Map();
  for (const call of drawn) {
    const name = state.byProcess ? "p" + call.process : call.node || "no node";
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(call);
  }
  const order = new Intl.Collator(undefined, { numeric: true }).compare;
  const rows = [], named = [];
  for (const [name, members] of [...groups].sort((a, b) => order(a[0], b[0]))) {
    const packed = pack(members, (call) => call.to + 1);
    named.push({ name, first: rows.length, rows: packed.length, nodes: new Set(members.map((call) => call.node)) });
    rows.push(...packed.map((items) => ({ items })));
  }
  const height = Math.max(3, Math.min(20, Math.floor(LANES / Math.max(rows.length, 1))));
  const bands = faultRows.length + (data.marks.length ? 1 : 0), top = AXIS + bands * BAND + (bands ? 8 : 0);
  return { rows, groups: named, height, top, bottom: top + Math.max(rows.length * height, 40), drawn: drawn.length };
}

/** From times to columns and back: linear, or with equal steps between the witness's events. */
function scale(width) {
  const [from, to] = state.view;
  const inner = [...(state.even && state.anomaly ? state.anomaly.witness : [])].flatMap((call) => [call.from, call.to]);
  const stops = [from, ...new Set(inner.filter((t) => t > from && t < to).sort((a, b) => a - b)), to];
  const step = (width - GUTTER) / (stops.length - 1);
  const place = (t) => {
    let low = 0, high = stops.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (stops[middle] <= t) low = middle; else high = middle - 1;
    }
    return low;
  };
  return {
    x: (t) => { const i = place(t); return GUTTER + step * (i + (t - stops[i]) / (stops[i + 1] - stops[i] || 1)); },
    t: (x) => {
      const at = (x - GUTTER) / step, i = Math.max(0, Math.min(stops.length - 2, Math.floor(at)));
      return stops[i] + (at - i) * (stops[i + 1] - stops[i]);
    },
    stops,
  };
}
