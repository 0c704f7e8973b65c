// Refining a frame's matte by points: previewed while they are placed, applied to the candidate they were placed on.

import { tinted } from "./marks.js";

// As long (ms) as somebody who places several points pauses between two.
const PAUSE = 200;
const SAID = {
  erase: "Takes away what is red on the picture.",
  restore: "Brings back what is green on the picture.",
};

export class Refining {
  // `strip` says what a frame shows now, `draw` draws the canvas anew.
  constructor(bench, strip, points, draw) {
    const { set, emoji, preview } = bench.dataset;
    Object.assign(this, { set, emoji: Number(emoji), previewed: preview, strip, points, draw });
    this.section = bench.querySelector("#refine");
    this.closed = "closed" in bench.dataset;
    this.works = new Map();
    this.frame = strip.current;
    this.candidate = null;
    this.part = null;
    this.sent = null; // the frame whose points are on their way
    const at = (name) => this.section.querySelector(`#${name}`);
    Object.assign(this, { meant: at("meant"), stale: at("stale"), buttons: ["apply", "apply-all", "undo", "clear"].map(at) });
    at("undo").addEventListener("click", () => points.undo());
    at("clear").addEventListener("click", () => points.clear());
    at("apply").addEventListener("click", () => this.apply());
    at("apply-all").addEventListener("click", () => this.apply(true));
    at("rebase").addEventListener("click", () => this.#rebase());
    this.section.addEventListener("htmx:finally:request", (event) => this.#onAnswer(event.detail.ctx));
  }

  // Points stay with their frame while others are looked at.
  turnTo(frame) {
    if (frame === this.frame) return this.check();
    this.works.set(this.frame, { ...this.points.work, candidate: this.candidate });
    this.frame = frame;
    const { candidate = null, ...work } = this.works.get(frame) ?? { all: [], past: [] };
    this.candidate = candidate;
    this.points.load(work);
  }

  // The points have changed.
  follow() {
    this.candidate = this.points.all.length ? this.candidate ?? this.#shown : null;
    this.part = null;
    this.meant.textContent = "";
    this.meant.className = "";
    this.check();
    this.asked?.abort();
    clearTimeout(this.soon);
    if (this.points.click && this.stale.hidden) this.soon = setTimeout(() => this.#preview(), PAUSE);
    this.draw();
  }

  // Somebody else may have put another candidate where the points are.
  check() {
    const stale = this.candidate !== null && this.candidate !== this.#shown;
    this.stale.hidden = !stale;
    if (stale) {
      this.stale.firstElementChild.textContent =
        `This frame shows candidate ${this.#shown} by now. Your points were placed on candidate ${this.candidate}.`;
    }
    const nothing = !this.points.all.length;
    const [apply, applyAll, undo, clear] = this.buttons;
    apply.disabled = applyAll.disabled = nothing || this.closed;
    undo.disabled = !this.points.past.length;
    clear.disabled = nothing;
  }

  apply(propagate = false) {
    if (!this.points.click || this.sent || this.closed) return;
    this.sent = this.frame;
    htmx.ajax("POST", `/sets/${this.set}/send/refine_frame`, {
      source: this.buttons[0],
      target: "#said",
      values: {
        body: JSON.stringify({ ...this.#click, ...(propagate && { propagate }) }),
        edits: document.getElementById("edits").value,
      },
    });
  }

  get #shown() {
    return Number(this.strip.frame(this.frame)?.candidate);
  }

  get #click() {
    return { emoji: this.emoji, frame: this.frame, candidate: this.candidate, ...this.points.click };
  }

  #rebase() {
    this.candidate = this.#shown;
    this.follow();
    this.section.querySelector("#apply").focus();
  }

  #onAnswer(ctx) {
    const frame = this.sent;
    this.sent = null;
    if (!(ctx.response?.status < 300)) return; // refused: they stay
    if (frame === this.frame) this.points.load({ all: [], past: [] });
    else this.works.delete(frame);
  }

  async #preview() {
    const { mode } = this.points.click;
    const { signal } = (this.asked = new AbortController());
    this.meant.textContent = "Looking what that means…";
    try {
      const answer = await fetch(this.previewed, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(this.#click),
        signal,
      });
      if (!answer.ok) return this.#say((await answer.json()).detail, true);
      const part = await tinted(await answer.blob(), mode);
      if (signal.aborted) return; // the points have changed meanwhile
      this.part = part;
      this.#say(SAID[mode]);
      this.draw();
    } catch (error) {
      if (error.name !== "AbortError") this.#say("popcon does not answer: try again.", true);
    }
  }

  #say(text, warning = false) {
    this.meant.textContent = text;
    this.meant.className = warning ? "warning" : "";
  }
}
