// One button holds every moving picture still, by the still source that each brings along for those who want no motion.

const REDUCED = "(prefers-reduced-motion: reduce)";

export function followMotion() {
  const button = document.querySelector("[data-motion]");
  const reduced = matchMedia(REDUCED).matches;
  let held = reduced;

  const apply = () => {
    for (const source of document.querySelectorAll("source.still")) source.media = held ? "all" : "not all";
    for (const video of document.querySelectorAll("video[autoplay]")) held ? video.pause() : video.play();
    if (!button) return;
    button.setAttribute("aria-pressed", String(held));
    button.hidden = false;
  };

  button?.addEventListener("click", () => { held = !held; apply(); });
  document.addEventListener("htmx:after:swap", apply);
  apply();
}
