// The form of a new set: the picture as soon as it is chosen, all actions or none, and the way to what is wrong.

const picture = document.getElementById("picture");
const look = document.getElementById("look");
const lookedAt = document.getElementById("looked-at");
const drop = document.querySelector(".drop");

// The former picture is given up at once: no set starts with what is not shown any more.
picture.addEventListener("change", (event) => {
  const [file] = event.target.files;
  show(file ? URL.createObjectURL(file) : "");
  tell("quiet", "Uploading…");
  if (file && file.size > event.target.dataset.megabytes * 1e6) refuse(event);
}, true);

// Nor is a picture shown that has not arrived; it can be chosen once more.
for (const failure of ["htmx:error", "htmx:response:error"]) picture.addEventListener(failure, forget);

function forget() {
  picture.reset();
  lookedAt.replaceChildren();
  show("");
}

// Of what is too large popcon would hang up before it has answered.
function refuse(event) {
  event.stopImmediatePropagation();
  forget();
  tell("error", `This file has more than ${event.target.dataset.megabytes} MB: choose a smaller one.`);
}

function tell(kind, words) {
  const line = document.createElement("p");
  line.className = kind;
  line.textContent = words;
  lookedAt.replaceChildren(line);
}

// What a browser cannot show, like a TIFF, is shown as popcon has read it, as soon as it has.
look.addEventListener("error", () => (look.src.startsWith("blob:") ? showAsRead() : show("")));

function showAsRead() {
  show(lookedAt.querySelector("[data-look]")?.dataset.look ?? "");
}

document.addEventListener("click", (event) => {
  const pick = event.target.dataset?.pick;
  if (!pick) return;
  const boxes = document.querySelectorAll(".presets [type=checkbox]");
  for (const each of boxes) each.checked = pick === "all";
  boxes[0].dispatchEvent(new Event("input", { bubbles: true }));
});

// What was wrong with a field is no longer said once it says something else.
document.addEventListener("input", (event) => {
  const field = event.target.closest("[aria-invalid]");
  if (!field) return;
  document.getElementById(field.getAttribute("aria-describedby"))?.remove();
  field.removeAttribute("aria-invalid");
});

document.addEventListener("htmx:after:swap", (event) => {
  const swapped = event.detail.ctx.target.id;
  if (swapped === "looked-at") {
    document.getElementById("fault-picture")?.remove();
    if (look.hidden || !look.src.startsWith("blob:")) showAsRead();
  }
  if (swapped === "new") {
    const wrong = document.querySelector("#new [aria-invalid]") ?? document.querySelector("#picture input");
    wrong.scrollIntoView({ block: "center" });
    wrong.focus();
  }
});

function show(address) {
  look.hidden = !address;
  if (address) look.src = address;
  drop.classList.toggle("filled", Boolean(address));
}
