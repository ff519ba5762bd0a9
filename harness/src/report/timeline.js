// The timeline: what is drawn, and what is under the pointer. Who clicks on what
// is the next file's business.
//
// Texts come from the database on trial: they are drawn as text or set as
// textContent, never as markup.

/** A canvas as large as it is shown, and its colours from the style sheet. */
function surface(canvas, height) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth;
  canvas.style.height = height + "px";
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.font = "12px system-ui, 'Liberation Sans', sans-serif";
  pen.textBaseline = "middle";
  const style = getComputedStyle(document.documentElement);
  return { pen, width, height, colour: (name) => style.getPropertyValue("--" + name).trim() };
}

/** Diagonal lines where a fault may have acted. */
function hatch({ pen, colour }, x, y, w, h) {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, w, h);
  pen.clip();
  pen.strokeStyle = colour("fault");
  pen.lineWidth = 1.2;
  pen.beginPath();
  for (let at = x - h - (x % 5); at < x + w; at += 5) {
    pen.moveTo(at, y + h);
    pen.lineTo(at + h, y);
  }
  pen.stroke();
  pen.restore();
}

function drawAxis(on, to, plan) {
  const { pen, width, height, colour } = on;
  pen.fillStyle = colour("soft");
  pen.strokeStyle = colour("line");
  const [from, until] = state.view;
  const rough = (until - from) / Math.max(3, (width - GUTTER) / 130), power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? 10 * power;
  const digits = Math.max(0, Math.min(9, 9 - Math.floor(Math.log10(step))));
  const ticks = to.stops.length > 2 ? to.stops : Array.from({ length: 200 }, (_, i) => (Math.ceil(from / step) + i) * step).filter((t) => t <= until);
  let clear = GUTTER - 1;
  for (const t of ticks) {
    const x = Math.round(to.x(t)) + 0.5, text = seconds(t, to.stops.length > 2 ? 3 : digits);
    pen.beginPath();
    pen.moveTo(x, AXIS - 6);
    pen.lineTo(x, height);
    pen.stroke();
    const wide = pen.measureText(text).width, left = Math.min(Math.max(x - wide / 2, GUTTER), width - wide);
    if (left > clear) {
      pen.fillText(text, left, 9);
      clear = left + wide + 8;
    }
  }
  pen.fillText(plan.rows.length ? "" : "no calls here", GUTTER + 12, plan.top + 20);
}

function drawFaults(on, to, plan) {
  const { pen, width, colour } = on;
  faultRows.forEach((row, at) => {
    const y = AXIS + at * BAND;
    for (const fault of row) {
      const end = faultEnd(fault);
      if (end < state.view[0] || fault.from > state.view[1]) continue;
      const clamp = (t) => Math.max(GUTTER, Math.min(width, to.x(Math.max(state.view[0], Math.min(state.view[1], t)))));
      const x = clamp(fault.from), wide = Math.max(clamp(end) - x, 3);
      pen.fillStyle = colour("fault-soft");
      for (const group of plan.groups) {
        const harmed = !fault.nodes.length || fault.nodes.some((node) => group.nodes.has(node));
        if (harmed) pen.fillRect(x, plan.top + group.first * plan.height, wide, group.rows * plan.height);
      }
      pen.fillRect(x, y, wide, BAND - 4);
      hatch(on, x, y, wide, BAND - 4);
      pen.fillStyle = colour("fault");
      const from = fault.injected === null ? x : clamp(fault.injected), solid = fault.injected === null ? 0 : Math.max(clamp(fault.heal ?? end) - from, 2);
      pen.fillRect(from, y, solid, BAND - 4);
      drawFaultName(on, fault, row, { x, y, wide, from, solid, clamp });
    }
  });
  pen.fillStyle = colour("soft");
  if (faultRows.length) pen.fillText("faults", 8, AXIS + 8);
}

/** A fault's words on its solid part, or on its right: as many of them as there is room for. */
function drawFaultName({ pen, width, colour }, fault, row, { x, y, wide, from, solid, clamp }) {
  const next = row.filter((other) => other.from > fault.from).reduce((least, other) => Math.min(least, clamp(other.from)), width);
  const hidden = fault.from < state.view[0] || faultEnd(fault) > state.view[1];
  const when = hidden ? ` from ${seconds(fault.from)} to ${fault.until === null ? "the end" : seconds(fault.until)}` : "";
  for (const words of [`${fault.name} ${fault.summary}${when}`, `${fault.name} ${fault.summary}`, fault.name]) {
    const text = fault.observed ? words : words + " (not observed)", long = pen.measureText(text).width;
    const inside = long + 12 < solid;
    if (!inside && x + wide + long + 8 > next) continue;
    pen.fillStyle = colour(inside ? "card" : "ink");
    pen.fillText(text, inside ? from + 6 : x + wide + 5, y + 8);
    return;
  }
}

function drawMarks({ pen, width, colour }, to, plan) {
  pen.strokeStyle = pen.fillStyle = colour("fault");
  let clear = GUTTER;
  pen.setLineDash([3, 3]);
  for (const [t, text] of data.marks) {
    if (t < state.view[0] || t > state.view[1]) continue;
    const x = Math.round(to.x(t)) + 0.5;
    pen.beginPath();
    pen.moveTo(x, AXIS);
    pen.lineTo(x, plan.bottom);
    pen.stroke();
    if (x < clear || x + 60 > width) continue;
    pen.fillText(text, x + 3, AXIS + faultRows.length * BAND + 8);
    clear = x + pen.measureText(text).width + 10;
  }
  pen.setLineDash([]);
}

function drawGroups({ pen, width, colour }, plan) {
  pen.strokeStyle = colour("line");
  let clear = 0;
  for (const group of plan.groups) {
    const y = plan.top + group.first * plan.height;
    pen.beginPath();
    pen.moveTo(0, y - 0.5);
    pen.lineTo(width, y - 0.5);
    pen.stroke();
    const middle = y + (group.rows * plan.height) / 2;
    if (middle - 7 < clear) continue;
    pen.fillStyle = colour("ink");
    pen.fillText(group.name.length > 13 ? group.name.slice(0, 12) + "…" : group.name, 8, middle, GUTTER - 16);
    clear = middle + 7;
  }
}

/** One call: ok is solid, fail hollow and crossed, info open at its end. */
function drawCall({ pen, colour }, call, x, y, wide, high, faint) {
  pen.globalAlpha = faint ? 0.35 : 1;
  pen.fillStyle = pen.strokeStyle = colour(KINDS[call.kind]);
  if (call.kind === 1 && high > 5) {
    pen.lineWidth = 1.5;
    pen.strokeRect(x + 0.75, y + 0.75, Math.max(wide - 1.5, 1), high - 1.5);
  } else pen.fillRect(x, y, wide, high);
  if (call.kind === 2) for (let i = 0; i < 4; i++) pen.fillRect(x + wide + 2 + i * 5, y + high / 2 - 1, 3, 2);
  pen.globalAlpha = 1;
}

function drawCalls(on, to, plan) {
  const { pen, width, colour } = on, [from, until] = state.view, witness = [], beside = [], high = plan.height - (plan.height > 6 ? 3 : 1);
  plan.rows.forEach((row, at) => {
    const y = plan.top + at * plan.height + 1;
    let last = -1;
    row.y = y;
    for (const call of row.items) {
      if (call.from > until) break;
      if (call.to < from) continue;
      const x = Math.max(GUTTER, to.x(call.from)), wide = Math.max(Math.min(width, to.x(Math.min(call.to, until))) - x, call.kind === 2 ? 3 : 1.5);
      const chosen = state.anomaly?.witness.has(call);
      if (chosen || call === state.picked) witness.push({ call, x, y, wide });
      // Calls that fall on the same pixel are drawn once.
      else if (x + wide > last + 0.4) {
        drawCall(on, call, x, y, wide, high, state.anomaly && state.key === null && state.anomaly.key !== null && call.key !== state.anomaly.key);
        last = x + wide;
        const room = pen.measureText(call.label).width + 8;
        if (high > 12 && room < wide && call.kind !== 1) {
          pen.fillStyle = colour("card");
          pen.fillText(call.label, x + 4, y + high / 2 + 0.5);
        } else if (high > 12) beside.push({ call, x, y, wide });
      }
    }
  });
  const taken = drawWitness(on, witness, high);
  if (plan.drawn < 400 && beside.length <= FEW) for (const it of beside) drawBeside(on, it, high, beside, taken);
}

/** The words of a short call, where nothing else is on its right. */
function drawBeside({ pen, width, colour }, { call, x, y, wide }, high, beside, taken) {
  const left = x + wide + (call.kind === 2 ? 22 : 5), room = pen.measureText(call.label).width + 4;
  const next = beside.some((other) => other.y === y && other.x > x && other.x < left + room);
  if (left + room > width || next || overlaps(taken, [left, y, room, high])) return;
  pen.fillStyle = colour("soft");
  pen.fillText(call.label, left, y + high / 2 + 0.5);
}

/** As much of a text as fits, or nothing where that would be too little. */
function fitting(pen, text, room) {
  if (pen.measureText(text).width <= room) return text;
  for (let length = text.length - 1; length >= 4; length--) {
    const part = text.slice(0, length) + "…";
    if (pen.measureText(part).width <= room) return part;
  }
  return "";
}

/** Whether a rectangle [x, y, width, height] meets one of `taken`. */
const overlaps = (taken, [x, y, w, h]) => taken.some(([a, b, c, d]) => x < a + c && a < x + w && y < b + d && b < y + h);

/** The witness over everything else, each call with its words where there is room for them. */
function drawWitness(on, witness, high) {
  const { pen, colour } = on, taken = [];
  for (const { call, x, y, wide } of witness) {
    drawCall(on, call, x, y, Math.max(wide, 4), high, false);
    pen.strokeStyle = colour(call === state.picked ? "ink" : "witness");
    pen.lineWidth = 2;
    pen.strokeRect(x - 1, y - 1, Math.max(wide, 4) + 2, high + 2);
    taken.push([x - 2, y - 2, Math.max(wide, 4) + 4, high + 4]);
  }
  if (witness.length <= FEW) drawWitnessWords(on, witness, taken, high);
  return taken;
}

function drawWitnessWords(on, witness, taken, high) {
  const { pen, width, colour } = on;
  pen.save();
  pen.font = "600 12px system-ui, 'Liberation Sans', sans-serif";
  for (const { call, x, y, wide } of witness) {
    // Words stay in their own lane, where they cannot be taken for another node's.
    const inLane = taken.filter(([, b, , d]) => b < y + high && y < b + d);
    const right = x + Math.max(wide, 4) + (call.kind === 2 ? 22 : 4), left = x - 4;
    const until = inLane.reduce((edge, [a]) => (a >= right - 3 ? Math.min(edge, a) : edge), width) - 4;
    const from = inLane.reduce((edge, [a, , c]) => (a + c <= left + 3 ? Math.max(edge, a + c) : edge), GUTTER) + 4;
    const words = fitting(pen, call.label, Math.max(until - right, left - from) - 10);
    if (!words) continue;
    const w = pen.measureText(words).width + 10, spot = [right + w <= until ? right : left - w, y + high / 2 - 9, w, 18];
    taken.push(spot);
    pen.fillStyle = colour("chip");
    pen.beginPath();
    pen.roundRect(...spot, 4);
    pen.fill();
    pen.fillStyle = colour(call === state.picked && !state.anomaly?.witness.has(call) ? "ink" : "witness");
    pen.fillText(words, spot[0] + 5, y + high / 2 + 0.5);
  }
  pen.restore();
}

const lanes = document.getElementById("lanes"), overview = document.getElementById("overview");
let plan = layout();

/** Draws all of it. */
function draw() {
  const on = surface(lanes, plan.bottom + 6), to = scale(on.width);
  drawAxis(on, to, plan);
  drawFaults(on, to, plan);
  drawGroups(on, plan);
  on.pen.save();
  on.pen.beginPath();
  on.pen.rect(GUTTER - 3, 0, on.width, on.height);
  on.pen.clip();
  drawMarks(on, to, plan);
  drawCalls(on, to, plan);
  on.pen.restore();
  drawOverview();
}

/** The call or fault under a point of the lanes. */
function hit(x, y) {
  const to = scale(lanes.clientWidth);
  const near = (items, until, slack) => {
    let best = null, closest = slack;
    for (const it of items) {
      const away = Math.max(to.x(it.from) - x, x - to.x(until(it)), 0);
      if (away < closest) [best, closest] = [it, away];
    }
    return best;
  };
  if (x < GUTTER) return null;
  if (y >= AXIS && y < AXIS + faultRows.length * BAND) return { fault: near(faultRows[Math.floor((y - AXIS) / BAND)], faultEnd, 4) };
  const row = plan.rows[Math.floor((y - plan.top) / plan.height)];
  const inView = row?.items.filter((call) => call.to >= state.view[0] && call.from <= state.view[1]);
  return inView ? { call: near(inView, (call) => call.to, 5) } : null;
}

const overviewX = (t, width) => ((t - data.begin) / (END - data.begin)) * width;

/** The rate of the whole run: stacked, faults behind, anomalies as red ticks, the view as a frame. */
function drawOverview() {
  const on = surface(overview, 74), { pen, width, height, colour } = on, low = height - 2, top = 24;
  for (const fault of data.faults) {
    const x = overviewX(fault.from, width);
    pen.fillStyle = colour("fault-may");
    pen.fillRect(x, 0, Math.max(overviewX(faultEnd(fault), width) - x, 1), low);
  }
  const { ok, fail, info } = data.overview, sums = ok.map((n, i) => n + fail[i] + info[i]), most = Math.max(1, ...sums), wide = width / ok.length;
  // A burst, such as the final reads, must not make the load invisible: bars as high as it end in a gap.
  const busy = sums.filter((n) => n > 0).sort((a, b) => a - b), usual = busy[Math.floor(busy.length * 0.9)] ?? 1;
  const full = Math.min(most, 2 * usual), part = (n, i) => (n / Math.max(full, sums[i])) * (low - top);
  ok.forEach((_, i) => {
    let y = low;
    for (const [column, name] of [[ok, "ok"], [fail, "fail"], [info, "info"]]) {
      if (!column[i]) continue;
      const high = Math.max(part(column[i], i), 1.5);
      pen.fillStyle = colour(name);
      pen.fillRect(i * wide, y - high, Math.max(wide - 0.4, 0.6), high);
      y -= high;
    }
    if (sums[i] > full) pen.clearRect(i * wide, top + 5, wide, 3);
  });
  drawOverviewMarks(on, low);
  const bucket = (END - data.begin) / ok.length;
  pen.fillStyle = colour("ink");
  if (calls.length) pen.fillText(`peak ${Math.round((most * SECOND) / bucket).toLocaleString("en")} calls/s`, 6, 11);
}

function drawOverviewMarks({ pen, width, height, colour }, low) {
  pen.fillStyle = colour("witness");
  for (const anomaly of data.anomalies) {
    const x = overviewX(anomaly.window[0], width);
    pen.fillRect(x, 0, 2, low);
    pen.fillRect(x, 0, Math.max(overviewX(anomaly.window[1], width) - x, 2), 3);
  }
  const [from, until] = state.view.map((t) => overviewX(t, width));
  pen.fillStyle = colour("view");
  pen.fillRect(from, 0, until - from, height);
  pen.strokeStyle = colour("ink");
  pen.lineWidth = 1.5;
  pen.strokeRect(from + 0.75, 0.75, Math.max(until - from - 1.5, 2), height - 1.5);
}
