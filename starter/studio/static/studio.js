// What htmx does not do: hold all pictures still, tell a lost server or key, double clicks, dragging emojis into another order.

import { followMotion } from "./motion.js";
import { followDragging } from "./order.js";

followMotion();
followDragging();
refuseDoubleClicks();
tellWhatIsAway();
closeMenus();

// The second click of a pair often meets something else: a button that the first one's answer has just drawn, or a link
// that its menu had covered.
function refuseDoubleClicks() {
  let began = false;
  document.addEventListener("click", (event) => {
    const sends = Boolean(event.target.closest("[hx-post], form button:not([type=button])"));
    if (event.detail > 1 && (sends || began)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else {
      began = sends;
    }
  }, true);
}

// Whoever is away, popcon or one's own key, may come back: what was typed and placed is kept until then.
function tellWhatIsAway() {
  const lost = document.getElementById("lost");
  const outside = document.getElementById("outside");
  const tell = (away) => [lost, outside].forEach((each) => { each.hidden = each !== away; });
  document.addEventListener("htmx:sse:error", (event) => tell(event.detail.status === 401 ? outside : lost));
  document.addEventListener("htmx:sse:after:connection", () => tell(null));
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
