// The inbox: drafts are kept, templates go into the answer, who else writes is shown, and what is new is shown as a notification.
"use strict";
(() => {
  const { one, all, get, now } = page;
  const WRITES = 8000, ASKS = 4000, NEWS = 20000, KNOWN = 200, MOST_DRAFTS = 100;
  let typed = -WRITES, sent = false, begun = false;
  const store = (() => { try { return localStorage; } catch { return null; } })();
  const composer = () => one("form.composer[data-fetched]");
  const field = () => composer() && one("textarea", composer());
  const draft = () => `draft:${location.pathname}`;
  const keep = (key, value) => { try { value ? store?.setItem(key, value) : store?.removeItem(key); } catch { /* it is full */ } };

  // What was not sent yet is there again.
  const restore = () => {
    const text = field();
    if (!text) return;
    if (sent && !text.value) keep(draft(), "");
    sent = false;
    if (!text.value && !location.search.includes("=")) text.value = store?.getItem(draft()) || "";
    begun = Boolean(text.value);
  };
  document.addEventListener("content", restore);
  document.addEventListener("submit", (event) => { if (event.target === composer()) { sent = true; typed = -WRITES; } });
  document.addEventListener("input", (event) => {
    if (event.target !== field()) return;
    // What is on the page when an answer is begun has been seen; what comes later may have been overlooked.
    const last = all("#thread > li[id]").at(-1), seen = one("[name=seen]", composer());
    if (!begun && last) seen.value = last.id;
    begun = Boolean(event.target.value);
    typed = now();
    keep(draft(), event.target.value);
    const drafts = Object.keys(store || {}).filter((key) => key.startsWith("draft:"));
    if (drafts.length > MOST_DRAFTS) keep(drafts.find((key) => key !== draft()), "");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target === field()) { event.preventDefault(); composer().requestSubmit(); }
    if (event.key === "Escape" && event.target === field()) field().blur();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-insert]"), text = field();
    if (!link || !text || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    text.setRangeText(link.dataset.insert, text.selectionStart, text.selectionEnd, "end");
    link.closest("details").open = false;
    text.focus();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // Who else writes.
  setInterval(async () => {
    const place = one("[data-writing]"), form = composer();
    if (!place || !form || document.hidden) return;
    const body = new URLSearchParams({ csrf: one("[name=csrf]", form).value, writing: now() - typed < WRITES ? "yes" : "no" });
    try {
      const got = await get(place.dataset.writing, { method: "POST", body });
      const said = got && one("#writing", got.found)?.textContent;
      if (got && place.isConnected && place.textContent !== said) place.textContent = said;
    } catch { /* it is asked again */ }
  }, ASKS);

  // What is new or waits for too long, also while another page is in front.
  const may = () => "Notification" in window && Notification.permission;
  const offer = () => all("[data-notify]").forEach((button) => (button.hidden = may() !== "default"));
  const known = () => { try { return JSON.parse(store?.getItem("news") || "null"); } catch { return null; } };
  const tell = async () => {
    if (may() !== "granted") return;
    try {
      const got = await get("/inbox-news");
      if (!got) return;
      const before = known(), items = all("[data-news]", got.found);
      const keys = items.map((item) => item.dataset.news);
      keep("news", JSON.stringify([...new Set([...keys, ...(before || [])])].slice(0, KNOWN)));
      // What was there before the first look is no news.
      if (!before) return;
      for (const item of items) {
        const { news, path, title } = item.dataset;
        if (before.includes(news) || (!document.hidden && location.pathname === path)) continue;
        const note = new Notification(title, { body: item.textContent, tag: news });
        note.onclick = () => { window.focus(); location.assign(path); };
      }
    } catch { /* it is asked again */ }
  };
  document.addEventListener("click", async (event) => {
    if (!event.target.closest("[data-notify]")) return;
    await Notification.requestPermission();
    offer();
    tell();
  });
  document.addEventListener("content", offer);
  setInterval(tell, NEWS);
  offer();
  restore();
})();
