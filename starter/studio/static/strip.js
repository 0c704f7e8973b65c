// The strip of frames: which one is looked at, playing them one after the other, and the next one that is flagged.

export class Strip {
  // `changed` is told of a frame that is looked at: at once while they play, and once more when they rest.
  constructor(bench, changed) {
    this.changed = changed;
    this.milliseconds = Number(bench.dataset.milliseconds);
    this.current = Number(bench.dataset.first);
    this.list = bench.querySelector("#strip");
    this.scrub = bench.querySelector("#scrub");
    this.play = bench.querySelector("#play");
    this.place = bench.querySelector("#place");
    this.flagged = bench.querySelector("#next-flagged");

    this.list.addEventListener("click", (event) => {
      const pick = event.target.closest(".pick");
      if (pick) this.choose(Number(pick.dataset.frame));
    });
    this.list.addEventListener("keydown", (event) => this.#onKey(event));
    this.scrub.addEventListener("input", () => this.choose(Number(this.scrub.value)));
    this.play.addEventListener("click", () => (this.timer ? this.rest() : this.#start()));
    this.flagged.addEventListener("click", () => this.#chooseNextFlagged());
    this.mark();
  }

  get picks() {
    return [...this.list.querySelectorAll(".pick")];
  }

  // What the strip says of a frame, from 1; undefined where there is none. Before the first comes the last.
  frame(number) {
    const picks = this.picks;
    const pick = picks[(number - 1 + picks.length) % picks.length];
    return pick && { number: Number(pick.dataset.frame), ...pick.dataset };
  }

  choose(number) {
    this.rest(false);
    this.#look(number, true);
  }

  rest(tell = true) {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = null;
    this.#showPlaying();
    if (tell) this.#look(this.current, true);
  }

  // Say which one is looked at, also after the server has drawn the strip anew.
  mark() {
    const picks = this.picks;
    this.scrub.max = Math.max(picks.length, 1);
    this.scrub.value = this.current;
    this.place.textContent = picks.length ? `${this.current} of ${picks.length}` : "";
    this.play.disabled = picks.length < 2;
    this.flagged.hidden = !this.#order.length;
    for (const pick of picks) {
      const chosen = Number(pick.dataset.frame) === this.current;
      chosen ? pick.setAttribute("aria-current", "true") : pick.removeAttribute("aria-current");
      pick.tabIndex = chosen ? 0 : -1;
    }
  }

  get #order() {
    return JSON.parse(this.list.querySelector("[data-flagged]")?.dataset.flagged ?? "[]");
  }

  #look(number, rests) {
    this.current = number;
    this.mark();
    this.changed(rests);
  }

  #start() {
    this.timer = setInterval(() => this.#look((this.current % this.picks.length) + 1, false), this.milliseconds);
    this.#showPlaying();
  }

  #showPlaying() {
    this.play.setAttribute("aria-pressed", String(Boolean(this.timer)));
    this.play.textContent = this.timer ? "Pause" : "Play";
  }

  #chooseNextFlagged() {
    const order = this.#order;
    this.choose(order[(order.indexOf(this.current) + 1) % order.length]);
    this.list.querySelector("[aria-current]").scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #onKey(event) {
    const last = this.picks.length;
    const wanted = {
      ArrowLeft: this.current > 1 ? this.current - 1 : last,
      ArrowRight: this.current < last ? this.current + 1 : 1,
      Home: 1,
      End: last,
    }[event.key];
    if (!wanted) return;
    event.preventDefault();
    this.choose(wanted);
    this.list.querySelector("[aria-current]").focus();
  }
}
