// What htmx does not do: hold all pictures still, tell a lost server, double clicks, dragging emojis into another order.

import { followMotion } from "./motion.js";
import { followDragging } from "./order.js";

followMotion();
followDragging();
refuseDoubleClicks();
tellLostServer();
closeMenus();

function refuseDoubleClicks() {
  // The second click of a pair often meets a button that the first one's answer has just drawn.
  document.addEventListener("click", (event) => {
    if (event.detail > 1 && event.target.closest("[hx-post], form button:not([type=button])")) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);
}

function tellLostServer() {
  const lost = document.getElementById("lost");
  document.addEventListener("htmx:sse:error", (event) => {
    if (event.detail.status === 401) location.reload(); // which asks for a key
    lost.hidden = false;
  });
  document.addEventListener("htmx:sse:after:connection", () => { lost.hidden = true; });
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.status !== "error: " && event.detail.ctx?.response) return;
    document.getElementById("said").textContent = "popcon does not answer: try again.";
  });
}

function closeMenus() {
  const others = (target) => [...document.querySelectorAll("details.menu[open]")].filter((each) => !each.contains(target));
  document.addEventListener("click", (event) => {
    others(event.target).forEach((each) => { each.open = false; });
    const left = event.target.closest("details.menu button")?.closest("details.menu");
    if (!left) return;
    left.open = false;
    left.querySelector("summary").focus();
  });
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && event.target.closest("details.menu[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
}
