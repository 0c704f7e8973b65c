// The canvas: a frame, large, with what a click would change and the points on it; and the clicks themselves.

import { drawCross, drawDot } from "./marks.js";
import { STEP, View } from "./view.js";

// Farther than this (pixels of the page) a press is no click.
const DRAG = 6;
const NEIGHBOUR_ALPHA = 0.3;
const PART_ALPHA = 0.6;

export class Canvas {
  // `does` is told what a person wants: place(x, y, kind), tap(), undo(), apply().
  constructor(element, does) {
    this.element = element;
    this.does = does;
    this.view = new View();
    this.images = new Map();
    this.shown = { picture: null, neighbours: [], points: [], part: null };
    this.cross = null;
    this.fingers = new Map();
    this.dragged = false;
    new ResizeObserver(() => this.draw()).observe(element);
    this.#listen();
  }

  // `picture` and `neighbours` are addresses; `part` is an image of what a click would change, or null.
  show(shown) {
    Object.assign(this.shown, shown);
    this.draw();
  }

  zoom(factor) {
    factor ? this.view.zoomBy(factor) : this.view.fit();
    this.draw();
  }

  draw() {
    const { element, view } = this;
    const density = window.devicePixelRatio || 1;
    const picture = this.#image(this.shown.picture);
    if (!picture) return;
    this.#measure();
    element.width = Math.round(view.box.width * density);
    element.height = Math.round(view.box.height * density);
    view.of(picture.naturalWidth, picture.naturalHeight);
    const context = element.getContext("2d");
    context.imageSmoothingEnabled = view.scale < 3;
    view.apply(context, density);
    for (const address of this.shown.neighbours) this.#paint(context, this.#image(address), NEIGHBOUR_ALPHA);
    this.#paint(context, picture, 1);
    this.#paint(context, this.shown.part, PART_ALPHA);
    for (const point of this.shown.points) drawDot(context, point, 1 / view.scale);
    if (this.cross) drawCross(context, this.cross, 1 / view.scale);
    element.dispatchEvent(new CustomEvent("drawn", { detail: { zoom: view.zoom } }));
    element.classList.toggle("zoomed", view.zoom > 1);
  }

  #measure() {
    const { left, top, width, height } = this.element.getBoundingClientRect();
    this.view.box = { left, top, width, height };
  }

  // An image once it is there; until then the canvas stays as it is, and is drawn when it comes.
  #image(address) {
    if (!address) return null;
    if (!this.images.has(address)) {
      const image = new Image();
      image.onload = () => this.draw();
      image.onerror = () => this.images.delete(address); // the next drawing asks for it again
      image.src = address;
      this.images.set(address, image);
    }
    const image = this.images.get(address);
    return image.complete && image.naturalWidth ? image : null;
  }

  #paint(context, image, alpha) {
    if (!image) return;
    context.globalAlpha = alpha;
    context.drawImage(image, 0, 0, this.view.picture.width, this.view.picture.height);
    context.globalAlpha = 1;
  }

  #listen() {
    const { element } = this;
    element.addEventListener("click", (event) => this.#place(event, event.shiftKey ? "remove" : this.does.tap()));
    element.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      if (event.pointerType !== "") this.#place(event, "remove"); // else it came from the keyboard
    });
    element.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return; // the page scrolls
      event.preventDefault();
      this.#measure();
      this.view.zoomBy(event.deltaY < 0 ? 1.2 : 1 / 1.2, { x: event.clientX, y: event.clientY });
      this.draw();
    }, { passive: false });
    element.addEventListener("pointerdown", (event) => this.#press(event));
    element.addEventListener("pointermove", (event) => this.#drag(event));
    for (const end of ["pointerup", "pointercancel"]) {
      element.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
    }
    element.addEventListener("keydown", (event) => this.#onKey(event));
    element.addEventListener("blur", () => { this.cross = null; this.draw(); });
  }

  #place(event, kind) {
    if (this.dragged) return;
    this.#measure();
    const pixel = this.view.pixel({ x: event.clientX, y: event.clientY });
    if (pixel) this.does.place(pixel.x, pixel.y, kind);
  }

  #press(event) {
    if (!this.fingers.size) this.dragged = false;
    this.element.setPointerCapture(event.pointerId); // it may end beside the canvas
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY, fromX: event.clientX, fromY: event.clientY });
  }

  // One finger moves what is enlarged, two enlarge it.
  #drag(event) {
    const finger = this.fingers.get(event.pointerId);
    if (!finger) return;
    const before = this.#spread();
    const [dx, dy] = [event.clientX - finger.x, event.clientY - finger.y];
    const far = Math.hypot(event.clientX - finger.fromX, event.clientY - finger.fromY) > DRAG;
    if (!far && !this.dragged) return;
    this.dragged = true;
    Object.assign(finger, { x: event.clientX, y: event.clientY });
    this.#measure();
    const after = this.#spread();
    if (before) this.view.zoomBy(after.distance / before.distance, after.middle);
    else this.view.pan(dx, dy);
    this.draw();
  }

  #spread() {
    if (this.fingers.size !== 2) return null;
    const [one, other] = [...this.fingers.values()];
    return {
      distance: Math.max(1, Math.hypot(one.x - other.x, one.y - other.y)),
      middle: { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 },
    };
  }

  #onKey(event) {
    const far = event.shiftKey ? 10 : 1;
    const [dx, dy] = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }[event.key] ?? [];
    if (dx !== undefined) this.#moveCross(dx, dy);
    else if (event.key === " ") this.#placeAtCross(event.shiftKey ? "remove" : this.does.tap());
    else if (event.key === "Enter") this.does.apply();
    else if (event.key === "Backspace" || (event.key === "z" && event.ctrlKey)) this.does.undo();
    else if (event.key === "+") this.zoom(STEP);
    else if (event.key === "-") this.zoom(1 / STEP);
    else if (event.key === "0") this.zoom();
    else return;
    event.preventDefault();
  }

  #moveCross(dx, dy) {
    const { picture } = this.view;
    const from = this.cross ?? { x: Math.floor(picture.width / 2), y: Math.floor(picture.height / 2) };
    const moved = { x: from.x + dx, y: from.y + dy };
    if (this.view.holds(moved)) this.cross = moved;
    this.view.reveal(this.cross ?? from);
    this.draw();
  }

  #placeAtCross(kind) {
    if (!this.cross) this.#moveCross(0, 0);
    this.does.place(this.cross.x, this.cross.y, kind);
  }
}
