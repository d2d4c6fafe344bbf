// Follows the log: new lines on top while the page is at its top, counted while someone reads further down or holds them. What a
// stream leaves out or never brings is asked for with the page.
"use strict";
(() => {
  const { one, all, get, now } = page;
  const MOST = 1000, SILENCE = 40000, EVERY = 30000, GENTLY = 5000;
  let source, heard = now(), opened = 0, polled = 0, lost = false, fetching = false;
  // `waiting` are rows that are not shown yet, `missed` how many more there are; `torn` is a list with a hole in it.
  let held = false, waiting = [], missed = 0, torn = false;

  const list = () => one("#lines[data-live]");
  const how = () => one("#refresh")?.value || "off";
  const reading = () => held || scrollY > 200 || list()?.contains(document.activeElement) || !getSelection().isCollapsed;
  const know = (id) => { const place = list(); if (place && id > place.dataset.newest) place.dataset.newest = id; };

  const say = () => {
    const tail = one("#tail");
    if (!tail) return;
    tail.hidden = how() !== "live" || !list();
    const state = lost ? "lost" : waiting.length || held ? "paused" : "live";
    one(".lamp", tail).className = `lamp ${state === "live" ? "ok" : "wait"}`;
    one(".word", tail).textContent = tail.dataset[state];
    const more = waiting.length + missed;
    one(".new", tail).textContent = more ? `+${more}${torn ? "…" : ""}` : "";
    one("#show-new", tail).hidden = !more;
    one("#hold", tail).setAttribute("aria-pressed", held);
  };
  const show = () => {
    const place = list();
    if (!place) return;
    // Between lines with a hole no one could tell what is not there.
    if (torn) return renew();
    // Each on a line of its own also for those who copy them.
    for (const row of waiting) {
      if (!document.getElementById(row.id)) { row.classList.add("fresh"); place.prepend(row, "\n"); }
    }
    waiting = [];
    missed = 0;
    one(".empty", place.parentElement)?.remove();
    const rows = all("li[id]", place);
    if (rows.length > MOST) {
      // The page drawn again leads on from its last line; this one would leave out what goes.
      for (const row of rows.slice(MOST)) row.remove();
      renew();
    }
    say();
  };
  // Rows that are new, the oldest first.
  const wait = (rows) => {
    const { newest } = list().dataset;
    waiting.push(...rows.filter((row) => row.id > newest));
    if (waiting.length > MOST) { missed += waiting.splice(0, waiting.length - MOST).length; torn = true; }
  };

  const hear = () => { heard = now(); lost = false; };
  const take = (event) => {
    hear();
    if (!list()) return;
    const space = event.data.indexOf(" "), left = event.data.slice(0, space);
    if (left !== "0") { missed += Number(left) || 0; torn = true; }
    const holder = document.createElement("template");
    holder.innerHTML = event.data.slice(space + 1);
    wait(all("li", holder.content));
    know(event.lastEventId);
    reading() ? say() : show();
  };

  // The page again: whole where no one reads, else what is new in it waits as that of a stream does.
  const poll = async () => {
    if (fetching || !list()) return;
    const asked = location.href, { newest } = list().dataset;
    fetching = true;
    polled = now();
    try {
      const got = await get(asked);
      if (got && list() && location.href === asked) { heard = now(); absorb(got.found, newest); }
    } catch { if (how() === "live") lost = true; } finally { fetching = false; say(); }
  };
  const absorb = (found, asked) => {
    const fresh = one("#lines[data-live]", found), place = list();
    if (!fresh) return location.reload();
    const rows = all("li[id]", fresh).reverse(), { newest } = place.dataset;
    if (reading()) {
      if (rows.length && rows[0].id > newest && one(".pager a[rel=next]", found)) torn = true;
      wait(rows);
      know(fresh.dataset.newest);
      return;
    }
    // What a stream brought while the page was on its way.
    const late = fresh.dataset.newest > asked ? fresh.dataset.newest : asked;
    waiting = [...all("li[id]", place).reverse(), ...waiting].filter((row) => row.id > late);
    for (const part of [".lede", "#found", ".pager"]) one(part).replaceWith(document.adoptNode(one(part, found)));
    know(newest);
    missed = 0;
    torn = false;
    show();
  };
  const renew = () => {
    torn = true;
    if (now() - polled > GENTLY) poll();
    say();
  };

  const open = () => {
    source?.close();
    const place = list();
    if (!place || how() !== "live") return say();
    opened = now();
    const { live, newest } = place.dataset;
    source = new EventSource(`${live}${live.includes("?") ? "&" : "?"}newest=${newest}`);
    // Only what comes through counts: a proxy may open the way and hold back all that is sent on it.
    source.addEventListener("beat", () => { hear(); say(); });
    source.addEventListener("lines", take);
    say();
  };

  const watch = () => {
    if (document.hidden || !list()) return say();
    const at = now(), silent = at - heard, ended = source?.readyState === EventSource.CLOSED;
    if (how() === "live" && (ended || silent > SILENCE)) {
      if (silent > SILENCE || (at - opened > 3000 && silent > 5000)) lost = true;
      if (at - opened > (lost ? 10000 : 1000)) open();
      if (lost && at - polled > EVERY) poll();
    }
    if (how() === "30" && at - polled > EVERY && !reading()) poll();
    if (torn && !reading()) renew();
    say();
  };
  const wake = () => { if (!document.hidden && how() === "live" && list() && now() - heard > 20000) { open(); poll(); } };

  const begin = () => {
    const choice = one("#refresh");
    if (!choice) return void source?.close();
    choice.value = localStorage.getItem("logs-refresh") || "live";
    waiting = []; missed = 0; held = false; torn = false; lost = false;
    heard = polled = now();
    open();
  };
  document.addEventListener("change", (event) => {
    if (event.target.id !== "refresh") return;
    localStorage.setItem("logs-refresh", how());
    // The button that would let go is hidden with the tail; what it held is shown.
    held = false; lost = false;
    heard = polled = now();
    if (waiting.length || torn) torn ? poll() : show();
    open();
  });
  document.addEventListener("click", (event) => {
    const shows = event.target.closest("#show-new");
    if (shows) scrollTo({ top: 0, behavior: "instant" });
    if (!shows && !event.target.closest("#hold")) return;
    held = !shows && !held;
    held ? say() : torn ? poll() : show();
  });
  addEventListener("scroll", () => { if ((waiting.length || torn) && !reading()) show(); }, { passive: true });
  document.addEventListener("visibilitychange", wake);
  addEventListener("pageshow", (event) => event.persisted && wake());
  addEventListener("online", wake);
  document.addEventListener("content", begin);
  setInterval(watch, 1000);
  begin();
})();
