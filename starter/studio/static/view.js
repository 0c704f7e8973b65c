// What part of a picture a canvas shows, and which of its pixels lies where.

const LARGEST = 16;
export const STEP = 2;

export class View {
  constructor() {
    this.zoom = 1;
    this.picture = { width: 1, height: 1 };
    this.box = { left: 0, top: 0, width: 1, height: 1 };
    this.centre = { x: 0.5, y: 0.5 };
  }

  // A picture of another size is shown whole.
  of(width, height) {
    if (this.picture.width === width && this.picture.height === height) return;
    this.picture = { width, height };
    this.fit();
  }

  fit() {
    this.zoom = 1;
    this.centre = { x: this.picture.width / 2, y: this.picture.height / 2 };
  }

  // Pixels of the page for one of the picture.
  get scale() {
    return this.zoom * Math.min(this.box.width / this.picture.width, this.box.height / this.picture.height);
  }

  // Make everything larger or smaller around a point of the page, which stays where it is.
  zoomBy(factor, at = this.#middle) {
    const { x, y } = this.toPicture(at);
    const before = this.scale;
    this.zoom = Math.min(LARGEST, Math.max(1, this.zoom * factor));
    const kept = before / this.scale;
    this.#look(x + (this.centre.x - x) * kept, y + (this.centre.y - y) * kept);
  }

  pan(dx, dy) {
    this.#look(this.centre.x - dx / this.scale, this.centre.y - dy / this.scale);
  }

  // Move as far as it takes to have a pixel in sight.
  reveal({ x, y }) {
    const [halfWidth, halfHeight] = this.#halves;
    const near = (value, middle, half) => Math.min(Math.max(middle, value - half), value + half);
    this.#look(near(x, this.centre.x, halfWidth * 0.9), near(y, this.centre.y, halfHeight * 0.9));
  }

  // Where in the picture, in its pixels, a point of the page lies.
  toPicture({ x, y }) {
    const middle = this.#middle;
    return { x: this.centre.x + (x - middle.x) / this.scale, y: this.centre.y + (y - middle.y) / this.scale };
  }

  // The pixel there, if there is one.
  pixel(at) {
    const { x, y } = this.toPicture(at);
    const pixel = { x: Math.floor(x), y: Math.floor(y) };
    return this.holds(pixel) ? pixel : null;
  }

  holds({ x, y }) {
    return x >= 0 && y >= 0 && x < this.picture.width && y < this.picture.height;
  }

  // The canvas's own drawing then speaks in pixels of the picture.
  apply(context, density) {
    const scale = this.scale * density;
    const left = (this.box.width / 2) * density - this.centre.x * scale;
    const top = (this.box.height / 2) * density - this.centre.y * scale;
    context.setTransform(scale, 0, 0, scale, left, top);
  }

  get #middle() {
    return { x: this.box.left + this.box.width / 2, y: this.box.top + this.box.height / 2 };
  }

  get #halves() {
    return [this.box.width / 2 / this.scale, this.box.height / 2 / this.scale];
  }

  // No further than to the picture's own edges.
  #look(x, y) {
    const [halfWidth, halfHeight] = this.#halves;
    const within = (value, half, size) => (2 * half >= size ? size / 2 : Math.min(Math.max(value, half), size - half));
    this.centre = {
      x: within(x, halfWidth, this.picture.width),
      y: within(y, halfHeight, this.picture.height),
    };
  }
}
