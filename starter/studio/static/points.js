// The points of a click: each is a row too, that can be deleted, turned around, and moved by the arrow keys.

const NAMES = { keep: "keeps", remove: "removes" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FAR = 10;

export class Points {
  // `changed` is told of every change, `apply` when Enter is pressed on a row. `holds` says what lies in the picture.
  constructor(list, template, { changed, apply, holds }) {
    this.list = list;
    this.template = template;
    this.tell = changed;
    this.holds = holds;
    this.all = [];
    this.past = [];
    list.addEventListener("click", (event) => this.#onClick(event));
    list.addEventListener("keydown", (event) => this.#onKey(event, apply));
  }

  add(x, y, kind) {
    if (this.all.some((each) => each.x === x && each.y === y && each.kind === kind)) return;
    this.#become([...this.all, { x, y, kind }]);
  }

  undo() {
    if (this.past.length) this.#set(this.past.pop());
  }

  clear() {
    if (this.all.length) this.#become([]);
  }

  // Those of another frame, with all that was done to them.
  load({ all, past }) {
    this.past = past;
    this.#set(all);
  }

  get work() {
    return { all: this.all, past: this.past };
  }

  // What the first point says is done; a point of the other colour is spared. Null without points.
  get click() {
    if (!this.all.length) return null;
    const meant = this.all[0].kind;
    return {
      mode: meant === "keep" ? "restore" : "erase",
      points: this.all.map(({ x, y, kind }) => ({ x, y, label: kind === meant ? 1 : 0 })),
    };
  }

  #become(points) {
    this.past.push(this.all);
    this.#set(points);
  }

  #set(points) {
    this.all = points;
    this.#draw();
    this.tell();
  }

  #draw() {
    while (this.list.children.length > this.all.length) this.list.lastElementChild.remove();
    while (this.list.children.length < this.all.length) this.list.append(this.template.content.cloneNode(true));
    this.all.forEach(({ x, y, kind }, index) => {
      const [point, remove] = this.list.children[index].children;
      point.className = `point ${kind}`;
      point.textContent = `${NAMES[kind]} ${x}, ${y}`;
      point.setAttribute("aria-label", `Point ${index + 1} ${NAMES[kind]} ${x}, ${y}: arrow keys move it, Space turns it around`);
      remove.setAttribute("aria-label", `Delete point ${index + 1}`);
    });
  }

  #onClick(event) {
    const row = event.target.closest("li");
    if (!row) return;
    const index = [...this.list.children].indexOf(row);
    if (event.target.closest(".delete")) {
      this.#become(this.all.toSpliced(index, 1));
      (this.list.children[Math.min(index, this.all.length - 1)]?.lastElementChild ?? this.list).focus();
    } else if (event.target.closest(".point")) {
      const turned = { ...this.all[index], kind: this.all[index].kind === "keep" ? "remove" : "keep" };
      this.#become(this.all.with(index, turned));
    }
  }

  #onKey(event, apply) {
    const point = event.target.closest(".point");
    if (!point) return;
    if (event.key === "Enter") {
      event.preventDefault();
      apply();
    }
    const [dx, dy] = ARROWS[event.key] ?? [];
    if (dx === undefined) return;
    event.preventDefault();
    const index = [...this.list.children].indexOf(point.closest("li"));
    const far = event.shiftKey ? FAR : 1;
    const moved = { ...this.all[index], x: this.all[index].x + dx * far, y: this.all[index].y + dy * far };
    if (this.holds(moved)) this.#become(this.all.with(index, moved));
  }
}
