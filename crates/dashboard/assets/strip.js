// A dot of a health strip, pointed at or walked to with the arrows, says its minute.
"use strict";
(() => {
  const { one, now } = page;
  const MINUTES = 120;
  const known = new Map();
  let tip, dot, strip, place = -1;

  const minutes = async (card) => {
    const held = known.get(card);
    if (held && now() - held.at < 15000) return held.words;
    const answer = await fetch(`/cards/${encodeURIComponent(card)}/strip`, { credentials: "same-origin" });
    const words = answer.ok ? await answer.json() : [];
    known.set(card, { at: now(), words });
    return words;
  };

  const hide = () => { tip?.remove(); dot?.remove(); strip = null; place = -1; };

  const show = async (over, at) => {
    strip = over;
    place = Math.max(0, Math.min(MINUTES - 1, at));
    const card = over.dataset.strip || over.closest(".card")?.id.slice(2);
    if (!card) return;
    const words = await minutes(card).catch(() => []);
    // With fewer than two hours the strip begins further right.
    const text = words[place - (MINUTES - words.length)];
    if (strip !== over || !over.isConnected) return;
    const box = one("svg", over).getBoundingClientRect(), step = box.width / MINUTES;
    tip ??= Object.assign(document.createElement("div"), { className: "tip", role: "status" });
    dot ??= Object.assign(document.createElement("i"), { className: "dot" });
    if (!text) return hide();
    tip.textContent = text;
    document.body.append(tip);
    over.append(dot);
    dot.style.left = `${(place + 0.25) * step}px`;
    const left = box.left + scrollX + (place + 0.5) * step - tip.offsetWidth / 2;
    tip.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${box.top + scrollY - tip.offsetHeight - 6}px`;
  };

  document.addEventListener("pointermove", (event) => {
    const over = event.target.closest?.(".strip");
    if (!over) return strip && document.activeElement !== strip && hide();
    const box = one("svg", over).getBoundingClientRect();
    const at = Math.floor((event.clientX - box.left) / box.width * MINUTES);
    if (over !== strip || at !== place) show(over, at);
  });
  document.addEventListener("focusin", (event) => {
    const over = event.target.closest(".strip");
    if (over && over.matches(":focus-visible")) show(over, MINUTES - 1);
    else hide();
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("content", hide);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return hide();
    const over = event.target.closest?.(".strip");
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -MINUTES, End: MINUTES }[event.key];
    if (!over || !step) return;
    event.preventDefault();
    show(over, (strip === over && place >= 0 ? place : MINUTES - 1) + step);
  });
})();
