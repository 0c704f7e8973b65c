// Dragging an emoji to another place. The menu of each does the same by keyboard and by touch.

export function followDragging() {
  let dragged = null;

  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".emoji[draggable]");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    dragged.classList.add("dragged");
  });
  document.addEventListener("dragover", (event) => {
    if (!dragged || !event.target.closest(".emojis")) return;
    event.preventDefault();
    mark(event.target.closest(".emoji"));
  });
  document.addEventListener("drop", (event) => {
    const onto = event.target.closest(".emoji");
    if (dragged && onto && onto !== dragged) {
      event.preventDefault();
      send(dragged, onto);
    }
  });
  document.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    dragged = null;
    mark(null);
  });
}

function mark(onto) {
  document.querySelector(".emoji.onto")?.classList.remove("onto");
  onto?.classList.add("onto");
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
    values: { body: JSON.stringify({ emojis }), edits: list.dataset.edits },
  });
}
