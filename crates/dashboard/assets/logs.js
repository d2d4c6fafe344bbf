// Follows the log: new lines on top while the page is at its top, counted while somebody reads further down or holds them.
"use strict";
(() => {
  const { one, all, get } = page;
  const MOST = 1000, SILENCE = 40000;
  let source, heard = Date.now(), held = false, waiting = [], missed = 0, timer;

  const list = () => one("#lines[data-live]");
  const bar = () => one("#tail");
  const how = () => one("#refresh")?.value || "off";
  const reading = () => held || scrollY > 200 || list()?.contains(document.activeElement) || !getSelection().isCollapsed;

  const say = () => {
    const tail = bar();
    if (!tail) return;
    tail.hidden = how() !== "live" || !list();
    const lost = Date.now() - heard > SILENCE || source?.readyState === EventSource.CLOSED;
    const state = lost ? "lost" : waiting.length || held ? "paused" : "live";
    one(".lamp", tail).className = `lamp ${state === "live" ? "ok" : "wait"}`;
    one(".word", tail).textContent = tail.dataset[state];
    one(".new", tail).textContent = waiting.length + missed ? `+${waiting.length + missed}` : "";
    one("#show-new", tail).hidden = !waiting.length;
    one("#hold", tail).setAttribute("aria-pressed", held);
  };
  const show = () => {
    const place = list();
    if (!place) return;
    for (const row of waiting) {
      if (!document.getElementById(row.id)) { row.classList.add("fresh"); place.prepend(row); }
    }
    waiting = [];
    missed = 0;
    while (place.children.length > MOST) place.lastElementChild.remove();
    one(".empty", place.parentElement)?.remove();
    say();
  };
  const take = (event) => {
    heard = Date.now();
    const space = event.data.indexOf(" ");
    missed += Number(event.data.slice(0, space));
    const holder = document.createElement("template");
    holder.innerHTML = event.data.slice(space + 1);
    waiting.push(...all("li", holder.content));
    if (waiting.length > MOST) missed += waiting.splice(0, waiting.length - MOST).length;
    if (event.lastEventId) list()?.setAttribute("data-newest", event.lastEventId);
    reading() ? say() : show();
  };
  const open = () => {
    source?.close();
    clearInterval(timer);
    const place = list();
    if (!place || how() === "off") return say();
    if (how() === "30") {
      timer = setInterval(async () => {
        if (document.hidden || reading()) return;
        const got = await get(location.href).catch(() => null);
        const fresh = got && one("#content", got.found);
        if (fresh) for (const part of [".hist", "#lines"]) { const [old, now] = [one(part), one(part, fresh)]; if (old && now) old.replaceWith(document.adoptNode(now)); }
      }, 30000);
      return say();
    }
    const { live, newest } = place.dataset;
    source = new EventSource(`${live}${live.includes("?") ? "&" : "?"}newest=${newest}`);
    source.onopen = () => { heard = Date.now(); say(); };
    source.addEventListener("beat", () => { heard = Date.now(); say(); });
    source.addEventListener("lines", take);
    say();
  };

  const begin = () => {
    const choice = one("#refresh");
    if (!choice) { source?.close(); clearInterval(timer); return; }
    choice.value = localStorage.getItem("logs-refresh") || "live";
    waiting = []; missed = 0; held = false; heard = Date.now();
    open();
  };
  document.addEventListener("change", (event) => { if (event.target.id === "refresh") { localStorage.setItem("logs-refresh", how()); open(); } });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#hold")) { held = !held; held ? say() : show(); }
    if (event.target.closest("#show-new")) { held = false; scrollTo({ top: 0 }); show(); }
  });
  addEventListener("scroll", () => { if (waiting.length && !reading()) show(); }, { passive: true });
  document.addEventListener("content", begin);
  setInterval(() => { if (source?.readyState === EventSource.CLOSED && how() === "live" && !document.hidden) open(); say(); }, 5000);
  begin();
})();
