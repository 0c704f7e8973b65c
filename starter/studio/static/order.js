// Dragging an emoji to another place. The menu of each does the same by keyboard.

export function followDragging() {
  let dragged = null;

  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".emoji[draggable]");
    if (dragged) event.dataTransfer.effectAllowed = "move";
  });
  document.addEventListener("dragover", (event) => {
    if (dragged && event.target.closest(".emojis")) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    const onto = event.target.closest(".emoji");
    if (dragged && onto && onto !== dragged) {
      event.preventDefault();
      send(dragged, onto);
    }
    dragged = null;
  });
}

function send(dragged, onto) {
  const list = dragged.closest(".emojis");
  const order = JSON.parse(list.dataset.order);
  const moved = Number(dragged.dataset.number);
  const place = order.indexOf(Number(onto.dataset.number));
  const emojis = order.filter((each) => each !== moved);
  emojis.splice(place, 0, moved);
  htmx.ajax("POST", `/sets/${list.dataset.set}/send/reorder`, {
    source: list,
    target: "#said",
    values: { body: JSON.stringify({ emojis }) },
  });
}
