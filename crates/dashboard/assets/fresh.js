// Keeps lists and the page of one message up to date. Rows change in place; another order or other rows wait while someone points at the list or is in it.
"use strict";
(() => {
  const { one, all, get, now, morph } = page;
  const MOMENT = 10000;
  let touched = -MOMENT, fetching = false, again = false;
  const waiting = new Map();

  const held = (region) => region.contains(document.activeElement) || region.matches(":hover") || now() - touched < MOMENT || one("input:checked", region);
  const rows = (region) => all("tbody tr[id]", region);
  const order = (region) => rows(region).map((row) => row.id).join();

  // What is focused stays where it was on the screen.
  const still = (change) => {
    const anchor = document.activeElement === document.body ? one(".card:hover, tr:hover") : document.activeElement;
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (anchor?.isConnected) scrollBy({ top: anchor.getBoundingClientRect().top - before, behavior: "instant" });
  };

  const show = (region, fresh) => { waiting.delete(region); morph(region, fresh); };
  const take = (region, fresh) => {
    if (order(region) === order(fresh) || !held(region)) return show(region, fresh);
    waiting.set(region, fresh);
    for (const row of rows(region)) {
      const twin = one(`#${CSS.escape(row.id)}`, fresh);
      if (twin) morph(row, twin.cloneNode(true));
    }
    const button = one("[data-show-new]", region);
    if (button) button.hidden = false;
  };

  const refresh = async () => {
    if (fetching) return void (again = true);
    if (document.hidden || one("dialog[open]") || !one("[data-fresh], [data-whole]")) return;
    fetching = true;
    try {
      const address = location.href, got = await get(address);
      if (!got || address !== location.href || one("dialog[open]")) return;
      still(() => {
        if (one("[data-whole]") && one("[data-whole]", got.found)) morph(one("#content"), one("#content", got.found));
        for (const region of all("[data-fresh]")) {
          const fresh = got.found.getElementById(region.id);
          if (fresh) take(region, fresh);
        }
        all("#rail ul").forEach((list, place) => { const fresh = all("#rail ul", got.found)[place]; if (fresh) morph(list, fresh); });
      });
    } catch { /* the next change asks again */ } finally {
      fetching = false;
      if (again) { again = false; setTimeout(refresh, 1000); }
    }
  };

  document.addEventListener("fresh", refresh);
  document.addEventListener("content", () => waiting.clear());
  document.addEventListener("click", (event) => {
    const region = event.target.closest("[data-show-new]")?.closest("[data-fresh]");
    if (!region || !waiting.has(region)) return;
    show(region, waiting.get(region));
    (one("[data-item]", region) || one("#content")).focus({ preventScroll: true });
  });
  addEventListener("touchstart", () => (touched = now()), { passive: true });
  setInterval(() => { for (const [region, fresh] of [...waiting]) if (region.isConnected && !held(region)) show(region, fresh); }, 1000);
})();
