// Keeps the board up to date: changes as they come, never under the pointer or the focus, and asks by itself when nothing comes.
"use strict";
(() => {
  const { one, all, get, now, sign, morph, unfold } = page;
  const SILENCE = 40000, EVERY = 30000, MOMENT = 10000, FOLLOWED = 30000;
  let source, heard = now(), polled = 0, opened = 0, touched = 0, lost = false, fetching = false, pressed, pressedAt = 0;
  const waiting = new Map();

  const board = () => one("#board[data-live]");
  const streamed = () => one("[data-live]:not(#live)");
  const lamp = (state) => {
    const place = one("#live");
    if (!place) return;
    const clock = new Date(Date.now() - (now() - heard)).toLocaleTimeString(document.documentElement.lang, { hour12: false });
    one(".lamp", place).className = `lamp ${state === "live" ? "ok" : "wait"}`;
    one(".word", place).textContent = `${place.dataset[state]} ${clock}`;
    place.classList.toggle("late", state !== "live");
  };

  // What someone points at or is in with the keyboard.
  const held = () => {
    const focused = document.activeElement?.closest(".card, .filters, #alerts, #verdict, #facts");
    return focused || one(".card:hover") || (now() - touched < MOMENT ? one(".card") : null);
  };
  const busy = () => board()?.contains(held()) || one("dialog[open]");

  // Nothing is held: the page is as high as it is.
  const settled = () => { for (const place of [one("#alerts"), document.body]) if (place.style.minHeight) place.style.minHeight = ""; };

  // Runs a change and leaves what is held where it was on the screen.
  const still = (change) => {
    const anchor = held(), before = anchor?.getBoundingClientRect().top;
    change();
    const kept = anchor?.isConnected ? anchor : anchor && document.getElementById(anchor.id);
    if (!kept) return;
    const by = kept.getBoundingClientRect().top - before;
    if (!by) return;
    scrollBy({ top: by, behavior: "instant" });
    const rest = kept.getBoundingClientRect().top - before;
    // At the very top a page cannot scroll up: what shrank above keeps its height until the pointer leaves.
    if (rest < 0) one("#alerts").style.minHeight = `${one("#alerts").offsetHeight - rest}px`;
    // At the very end it cannot scroll down: it is longer by what grew above until then.
    if (rest > 0) {
      document.body.style.minHeight = `${Math.ceil(scrollY + innerHeight + rest)}px`;
      scrollBy({ top: rest, behavior: "instant" });
    }
  };

  const shape = (card) => card.className.replace("fresh", "").trim();
  const draw = (html) => {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    return holder.content.firstElementChild;
  };

  // `own`: by a press of the one who looks, who waits for what comes of it, also under the pointer.
  const change = (id, html, fresh = draw(html), own = false) => {
    const old = document.getElementById(`c-${id}`);
    if (!old || !fresh || old.isEqualNode(fresh)) return void waiting.delete(id);
    const focused = old.contains(document.activeElement);
    own ||= old.id === pressed && now() - pressedAt < FOLLOWED;
    if (!own && (old === held() || focused)) {
      waiting.set(id, html ?? fresh.outerHTML);
      // What keeps its shape changes in place; its links and buttons stay.
      if (shape(old) === shape(fresh)) for (const part of ["h3 .lamp", ".why-short", ".strip svg", "dl"]) {
        const [before, after] = [one(part, old), one(part, fresh)];
        if (before && after && !before.isEqualNode(after)) before.replaceWith(after);
      }
      return;
    }
    waiting.delete(id);
    // Each minute changes a little of every card. Drawn again they would all be laid out at once, between a press and what came of it.
    const same = old.dataset.state === fresh.dataset.state, stays = same && shape(old) === shape(fresh);
    const card = stays ? old : fresh, button = focused && sign(document.activeElement);
    if (stays) morph(old, fresh);
    else { unfold(old, fresh); old.replaceWith(fresh); }
    if (!same) fresh.classList.add("fresh");
    // The one who pressed a button goes on at it, or where the buttons are: Start stands where Stop was.
    if (focused && !card.contains(document.activeElement)) ((button && one(button, card)) || one(".acts .btn", card) || one("h3 a", card)).focus();
  };

  const part = (id, html, own = false) => {
    const place = document.getElementById(id);
    if (!place || place.innerHTML === html) return;
    const focused = place.contains(document.activeElement);
    if (focused && !own) { waiting.set(`#${id}`, html); return; }
    waiting.delete(`#${id}`);
    const before = place.cloneNode(true);
    place.innerHTML = html;
    unfold(before, place);
    if (focused) (one("a, button", place) || one("#content")).focus();
  };

  const apply = ({ tab, trouble, parts, cards, order, marks }) => still(() => {
    document.title = `${tab} · Switchboard`;
    for (const count of all("[data-trouble]")) { count.hidden = !trouble; one("b", count).textContent = trouble; }
    for (const [id, html] of Object.entries(parts)) part(id, html);
    for (const [id, html] of Object.entries(cards)) change(id, html);
    const place = board();
    if (marks) place.dataset.marks = marks;
    if (order !== place.dataset.order) moved();
  });

  // The order is another: it waits behind a button while someone points at a row.
  const moved = () => (busy() ? (one("[data-sort]").hidden = false) : sort());
  const sort = async () => {
    if (fetching || now() - polled < 3000) return;
    await poll((found) => {
      const fresh = one("#board", found);
      if (!fresh) return location.reload();
      unfold(board(), fresh);
      board().replaceWith(document.adoptNode(fresh));
      one("[data-sort]").hidden = true;
      settled();
      waiting.clear();
    });
  };

  // The page again, when no event came.
  const poll = async (then) => {
    if (fetching || !board()) return;
    fetching = true;
    polled = now();
    try {
      const got = await get(location.href);
      if (got && board()) { heard = now(); then(got.found); }
    } catch { lamp("lost"); } finally { fetching = false; }
  };
  const absorb = (found, own) => {
    const fresh = one("#board", found);
    if (!fresh || !board()) return location.reload();
    // What was begun by a press ends a moment later, on the same card.
    if (own) [pressed, pressedAt] = [document.activeElement?.closest(".card")?.id, now()];
    still(() => {
      for (const id of ["verdict", "alerts", "facts", "kinds"]) part(id, one(`#${id}`, found)?.innerHTML ?? "", own);
      for (const card of all(".card", fresh)) change(card.id.slice(2), null, card, own);
      document.title = found.title;
      if (fresh.dataset.order !== board().dataset.order) moved();
      else board().dataset.marks = fresh.dataset.marks;
    });
    lamp(lost ? "lost" : "live");
  };

  const open = () => {
    source?.close();
    const place = streamed();
    if (!place) return;
    opened = now();
    const { live, query, marks, order } = place.dataset;
    source = new EventSource(board() ? `${live}?${query ? `${query}&` : ""}marks=${marks}&order=${order}` : live);
    const hear = () => { heard = now(); lost = false; lamp("live"); };
    source.onopen = hear;
    source.addEventListener("beat", hear);
    source.addEventListener("changes", (event) => { hear(); if (board()) apply(JSON.parse(event.data)); });
    source.addEventListener("unread", (event) => {
      hear();
      for (const count of all("[data-unread]")) { count.hidden = event.data === "0"; one("b", count).textContent = event.data; }
    });
    // Lists say only that there is something new; the page is asked for it.
    source.addEventListener("changed", () => { hear(); document.dispatchEvent(new Event("fresh")); });
    // A stream ends every ten minutes, and when the program does; the watch below begins another.
    source.onerror = () => source.close();
  };

  const watch = () => {
    if (!streamed() || document.hidden) return;
    const at = now(), silent = at - heard;
    if (source?.readyState === EventSource.CLOSED || silent > SILENCE) {
      if (silent > SILENCE || at - opened > 3000) { if (silent > 5000) { lost = true; lamp("lost"); } }
      if (at - opened > (lost ? 10000 : 1000)) open();
      if (lost && at - polled > EVERY) renew();
    }
    if (!board()) return;
    if (!busy()) {
      if (!one("[data-sort]").hidden) sort();
      settled();
    }
    for (const [id, html] of [...waiting]) id[0] === "#" ? part(id.slice(1), html) : change(id, html);
  };

  const renew = () => {
    if (board()) return poll(absorb);
    polled = now();
    document.dispatchEvent(new Event("fresh"));
  };
  const wake = () => { if (!document.hidden && streamed() && now() - heard > 20000) { open(); renew(); } };
  document.addEventListener("visibilitychange", wake);
  addEventListener("pageshow", (event) => event.persisted && wake());
  addEventListener("online", wake);
  addEventListener("touchstart", () => (touched = now()), { passive: true });
  document.addEventListener("board", (event) => absorb(event.detail, true));
  document.addEventListener("content", () => { waiting.clear(); open(); });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-sort]")) { polled = 0; sort(); } });
  setInterval(watch, 1000);
  open();
})();
