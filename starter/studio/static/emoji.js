// The page of an emoji: what follows from the frame that is looked at.

import { Canvas } from "./canvas.js";
import { Points } from "./points.js";
import { Refining } from "./refine.js";
import { Strip } from "./strip.js";
import { STEP } from "./view.js";

// As long (ms) as somebody who goes through the frames stays at none.
const SETTLED = 120;

const bench = document.getElementById("bench");
const panel = document.getElementById("panel");
const find = (selector) => bench.querySelector(selector);
let settling;
let inPanel = false;

const strip = new Strip(bench, (rests) => (rests ? settle() : show()));
const points = new Points(find("#points"), find("#point"), {
  changed: () => refining.follow(),
  apply: () => refining.apply(),
  holds: (point) => canvas.view.holds(point),
});
const canvas = new Canvas(find("#canvas"), {
  place: (x, y, kind) => { strip.rest(); points.add(x, y, kind); },
  tap: () => find("[name=tap]:checked").value,
  undo: () => points.undo(),
  apply: () => refining.apply(),
});
const refining = new Refining(bench, strip, points, show);

find("#zoom-in").addEventListener("click", () => canvas.zoom(STEP));
find("#zoom-out").addEventListener("click", () => canvas.zoom(1 / STEP));
find("#zoom-fit").addEventListener("click", () => canvas.zoom());
find("#canvas").addEventListener("drawn", (event) => {
  find("#zoom").textContent = `${Math.round(100 * event.detail.zoom)}%`;
});
for (const choice of bench.querySelectorAll("[name=layer], #onion")) choice.addEventListener("change", show);
document.addEventListener("focusin", (event) => { inPanel = panel.contains(event.target); });
document.addEventListener("click", fillIn);
document.addEventListener("click", refuseWhatStandsAlready, true);
document.addEventListener("htmx:after:swap", followLive);
show();

// What the canvas shows of the frame, as the switches say.
function show() {
  const frame = strip.frame(strip.current);
  bench.classList.toggle("empty", !frame);
  if (!frame) return;
  const layer = find("[name=layer]:checked").value;
  find("[name=layer][value=before]").disabled = !frame.before;
  canvas.show({
    picture: frame[layer] ?? frame.picture,
    neighbours: find("#onion").checked ? [-1, 1].map((step) => strip.frame(frame.number + step).picture) : [],
    points: strip.timer ? [] : points.all,
    part: strip.timer ? null : refining.part,
  });
}

// The frame that a person stays at: its points and its candidates.
function settle() {
  refining.turnTo(strip.current);
  show();
  clearTimeout(settling);
  settling = setTimeout(loadPanel, SETTLED);
}

function loadPanel() {
  const { set, emoji } = bench.dataset;
  const frame = strip.frame(strip.current);
  const known = panel.querySelector("[data-version]");
  if (!frame || (known?.id === `panel-${frame.number}` && known.dataset.version === frame.version)) return;
  history.replaceState(null, "", `?frame=${frame.number}`);
  htmx.ajax("GET", `/sets/${set}/emojis/${emoji}/frames/${frame.number}`, { source: panel, target: panel, swap: "innerMorph" });
}

// Another person's edit, or one's own: everything but what is just being typed and placed follows it. A button that was
// pressed may be gone then; whoever uses the keyboard goes on from where it was.
function followLive(event) {
  strip.mark();
  refining.check();
  show();
  if (event.target !== panel && !strip.timer) loadPanel(); // its own answer may be ahead of the strip
  if (inPanel && document.activeElement === document.body) panel.focus({ preventScroll: true });
}

function fillIn(event) {
  const button = event.target.closest("[data-fill]");
  if (!button) return;
  const field = document.getElementById(button.closest("[data-fills]").dataset.fills).elements.prompt;
  field.value = button.textContent;
  field.focus();
}

// A button that says what is shown already can keep the focus, and does nothing.
function refuseWhatStandsAlready(event) {
  if (!event.target.closest("[aria-disabled=true]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}
