// The page: who clicks on what. How it is drawn is the business of the files before.

const $ = (id) => document.getElementById(id);

/** Shows a part of the run, within its bounds. */
function look(from, until) {
  const whole = END - data.begin, wide = Math.min(Math.max(until - from, 1000), whole);
  const middle = (from + until) / 2, edge = whole * 0.02;
  const start = Math.min(Math.max(middle - wide / 2, data.begin - edge), END + edge - wide);
  state.view = [start, start + wide];
  caption();
  draw();
}

const wholeRun = () => look(data.begin, END);
const zoom = (factor, at = (state.view[0] + state.view[1]) / 2) => look(at - (at - state.view[0]) * factor, at + (state.view[1] - at) * factor);
const pan = (part) => look(...state.view.map((t) => t + part * (state.view[1] - state.view[0])));

function relayout() {
  plan = layout();
  caption();
  draw();
}

/** The witness's window, or all of its faults too, with a little room around it. */
function lookAtWitness(which = "window") {
  if (!state.anomaly) return wholeRun();
  const [from, until] = state.anomaly[which], room = Math.max((until - from) * 0.08, 200e3);
  look(from - room, until + room);
}

function caption() {
  const { anomaly, key } = state;
  const parts = [];
  const number = (n) => n.toLocaleString("en");
  if (anomaly && key !== null) {
    const whole = anomaly.carried === anomaly.concurrent;
    const some = whole ? `all ${number(anomaly.concurrent)}` : `${number(anomaly.carried)} of ${number(anomaly.concurrent)}`;
    parts.push(`${some} calls on key ${data.texts[key]} in the witness's window`);
  }
  const all = data.overview.ok.reduce((sum, n, i) => sum + n + data.overview.fail[i] + data.overview.info[i], 0);
  if (key === null && calls.length < all) parts.push(`a sample of ${number(calls.length)} of ${number(all)} calls`);
  parts.push(`${seconds(Math.max(0, state.view[0]))} to ${seconds(state.view[1])}`);
  $("caption").textContent = parts.join(" · ");
}

/** Chooses an anomaly: its key, its window, its row in the list. */
function select(number) {
  const anomaly = (state.anomaly = data.anomalies[number] ?? null);
  state.key = anomaly?.key ?? null;
  for (const row of document.querySelectorAll(".anomaly")) {
    const chosen = Number(row.dataset.anomaly) === number;
    row.classList.toggle("selected", chosen);
    row.open = chosen;
    if (chosen) row.closest(".rest")?.setAttribute("open", "");
  }
  $("key-choice").hidden = state.key === null;
  $("key-only").checked = state.key !== null;
  $("key-name").textContent = state.key === null ? "" : data.texts[state.key];
  $("which").textContent = anomaly ? `anomaly ${number + 1} of ${data.anomalies.length}` : "no anomaly";
  for (const id of ["previous", "next", "window", "even"]) $(id).disabled = !anomaly;
  plan = layout();
  lookAtWitness("frame");
  if (anomaly) history.replaceState(null, "", "#a=" + number);
}

function step(by) {
  const all = data.anomalies.length;
  if (all) select((data.anomalies.indexOf(state.anomaly) + by + all) % all);
}

const text = (name, content) => Object.assign(document.createElement(name), { textContent: content });

/** What is known of a call, line by line. */
const told = (call) => [
  ["call", call.label], ["outcome", KINDS[call.kind]], ["process", "p" + call.process], ["node", call.node],
  ["began", seconds(call.from + data.origin, 6)], ["ended", call.open ? "never" : `${seconds(call.to + data.origin, 6)}, after ${span(call.to - call.from)}`],
  ["said", call.detail], ["event", String(call.index)],
].filter(([, it]) => it);

const toldFault = (fault) => [
  ["", `${fault.name} ${fault.summary}`], ["nodes", fault.nodes.join(" ")], ["began", seconds(fault.from)],
  ["acted", fault.injected === null ? "injecting it failed" : `${seconds(fault.injected)} – ${fault.heal === null ? "the end" : seconds(fault.heal)}`],
  ["undone", fault.until === null ? "never seen" : seconds(fault.until)], ["", fault.observed ? "observed to take effect" : "not observed to take effect"],
].filter(([, it]) => it);

function tip(event, found) {
  const box = $("tip"), lines = found?.call ? told(found.call) : found?.fault ? toldFault(found.fault) : [];
  box.hidden = !lines.length;
  if (box.hidden) return;
  box.replaceChildren(...lines.map(([name, it], at) => text(at ? "span" : "b", at && name ? `${name}: ${it}` : it)));
  const { width, height } = box.getBoundingClientRect();
  box.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - width - 8)) + "px";
  box.style.top = Math.max(4, Math.min(event.clientY + 16, innerHeight - height - 8)) + "px";
}

function pick(call) {
  state.picked = call;
  const box = $("picked"), list = document.createElement("dl");
  box.hidden = !call;
  if (call) for (const [name, it] of told(call)) {
    const line = document.createElement("div");
    line.append(text("dt", name), text("dd", it));
    list.append(line);
  }
  box.replaceChildren(list);
  draw();
}

/** Follows a drag on a canvas: `moved` gets the start's and the present column. */
function drag(canvas, moved, clicked) {
  canvas.addEventListener("pointerdown", (down) => {
    const left = canvas.getBoundingClientRect().left, start = down.clientX - left, view = [...state.view];
    const move = (event) => moved(start, event.clientX - left, view);
    canvas.setPointerCapture(down.pointerId);
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerup", (up) => {
      canvas.removeEventListener("pointermove", move);
      if (Math.abs(up.clientX - down.clientX) < 3) clicked(up);
    }, { once: true });
  });
}

drag(lanes, (start, now, view) => {
  const shift = ((start - now) / (lanes.clientWidth - GUTTER)) * (view[1] - view[0]);
  look(view[0] + shift, view[1] + shift);
}, (event) => pick(hit(event.offsetX, event.offsetY)?.call ?? null));

const overviewTime = (x) => data.begin + (x / overview.clientWidth) * (END - data.begin);
drag(overview, (start, now) => look(overviewTime(Math.min(start, now)), overviewTime(Math.max(start, now))), (event) => {
  const at = overviewTime(event.offsetX), half = (state.view[1] - state.view[0]) / 2;
  look(at - half, at + half);
});

lanes.addEventListener("pointermove", (event) => tip(event, event.buttons ? null : hit(event.offsetX, event.offsetY)));
lanes.addEventListener("pointerleave", () => ($("tip").hidden = true));
lanes.addEventListener("wheel", (event) => {
  const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
  // Nothing is farther than the whole run: there the page scrolls on.
  if (!sideways && event.deltaY > 0 && state.view[1] - state.view[0] >= (END - data.begin) * 0.999) return;
  event.preventDefault();
  if (sideways) pan(event.deltaX / 800);
  else zoom(1.0015 ** Math.max(-300, Math.min(300, event.deltaY)), scale(lanes.clientWidth).t(Math.max(GUTTER, event.offsetX)));
}, { passive: false });

const toggles = { "key-only": (on) => (state.key = on ? state.anomaly?.key ?? null : null), even: (on) => (state.even = on), processes: (on) => (state.byProcess = on) };
for (const [id, set] of Object.entries(toggles)) $(id).addEventListener("change", (event) => (set(event.target.checked), relayout()));

const keys = {
  n: () => step(1), p: () => step(-1), f: () => lookAtWitness(), 0: wholeRun, "+": () => zoom(0.6), "=": () => zoom(0.6), "-": () => zoom(1.6),
  ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), k: () => $("key-choice").hidden || $("key-only").click(),
  t: () => $("even").click(), g: () => $("processes").click(), Escape: () => pick(null), "?": () => $("keys").showModal(),
};
const buttons = { next: "n", previous: "p", window: "f", whole: "0", closer: "+", farther: "-", help: "?" };
for (const [id, key] of Object.entries(buttons)) $(id).addEventListener("click", () => keys[key]());
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

for (const row of document.querySelectorAll(".anomaly")) {
  row.querySelector("summary").addEventListener("click", (event) => {
    const number = Number(row.dataset.anomaly);
    if (data.anomalies[number] === state.anomaly) return;
    event.preventDefault();
    select(number);
  });
}
for (const row of document.querySelectorAll("[data-call]")) {
  row.addEventListener("click", () => {
    const number = Number(row.closest(".anomaly").dataset.anomaly), call = calls.find((it) => it.index === Number(row.dataset.call));
    if (!call) return;
    select(number);
    const room = Math.max((call.to - call.from) * 4, 5e6);
    look(call.from - room, call.to + room);
    pick(call);
    lanes.scrollIntoView({ block: "nearest" });
  });
}

async function copy(button) {
  const words = $(button.dataset.copy).textContent;
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    // A page from a file may not have the clipboard.
    const area = Object.assign(document.createElement("textarea"), { value: words });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = label), 1200);
}
for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copy(button));

addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("beforeprint", () => ((document.documentElement.dataset.print = ""), draw()));
addEventListener("afterprint", () => (delete document.documentElement.dataset.print, draw()));

const fromAddress = () => select(data.anomalies.length ? Number(/a=(\d+)/.exec(location.hash)?.[1] ?? 0) : -1);
addEventListener("hashchange", fromAddress);
fromAddress();
document.documentElement.dataset.drawn = String(calls.length);
