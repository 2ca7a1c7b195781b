/** One polite live region for the whole page. It says a sentence once. */

let region: HTMLElement | null = null;

export function announce(sentence: string): void {
  if (!region) {
    region = document.createElement("div");
    region.className = "visually-hidden";
    region.setAttribute("role", "status");
    region.setAttribute("aria-live", "polite");
    document.body.append(region);
  }
  region.textContent = "";
  const target = region;
  requestAnimationFrame(() => {
    target.textContent = sentence;
  });
}
