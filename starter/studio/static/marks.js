// What lies on the picture: the points, the cross that the arrow keys move, and what a click would change.

const GREEN = "#0a8f4f";
const RED = "#d3202f";
const DOTS = { keep: GREEN, remove: RED };
const PARTS = { erase: RED, restore: GREEN };

// A point as a dot, told apart by a sign too. `unit` is a pixel of the page in pixels of the picture.
export function drawDot(context, { x, y, kind }, unit) {
  const [middle, row] = [x + 0.5, y + 0.5];
  context.lineWidth = 2 * unit;
  context.strokeStyle = "#fff";
  context.fillStyle = DOTS[kind];
  context.beginPath();
  context.arc(middle, row, 8 * unit, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
  context.beginPath();
  context.moveTo(middle - 4 * unit, row);
  context.lineTo(middle + 4 * unit, row);
  if (kind === "keep") {
    context.moveTo(middle, row - 4 * unit);
    context.lineTo(middle, row + 4 * unit);
  }
  context.stroke();
}

// Black in white, so that it is seen on everything.
export function drawCross(context, { x, y }, unit) {
  for (const [width, colour] of [[3, "#fff"], [1, "#000"]]) {
    context.lineWidth = width * unit;
    context.strokeStyle = colour;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 0.5 + dx * 4 * unit, y + 0.5 + dy * 4 * unit);
      context.lineTo(x + 0.5 + dx * 14 * unit, y + 0.5 + dy * 14 * unit);
    }
    context.stroke();
  }
}

// A preview as it is laid over the frame: what goes in red, what comes back in green.
export async function tinted(blob, mode) {
  const mask = await createImageBitmap(blob);
  const canvas = Object.assign(document.createElement("canvas"), { width: mask.width, height: mask.height });
  const context = canvas.getContext("2d");
  context.drawImage(mask, 0, 0);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = PARTS[mode];
  context.fillRect(0, 0, mask.width, mask.height);
  return canvas;
}
