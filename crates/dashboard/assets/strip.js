// A dot of a health strip, pointed at or walked to with the arrows, says its minute.
"use strict";
(() => {
  const { one, all, now } = page;
  const known = new Map();
  let tip, dot, strip, place = -1;

  // Of its pictures the one that is seen; a cell takes three units of it.
  const seen = (strip) => all("svg", strip).find((one) => one.getClientRects().length) ?? one("svg", strip);
  const many = (strip) => seen(strip).viewBox.baseVal.width / 3;

  const minutes = async (card, cells) => {
    const sign = `${card} ${cells}`, held = known.get(sign);
    if (held && now() - held.at < 15000) return held.words;
    const answer = await fetch(`/cards/${encodeURIComponent(card)}/strip?cells=${cells}`, { credentials: "same-origin" });
    const words = answer.ok ? await answer.json() : [];
    known.set(sign, { at: now(), words });
    return words;
  };

  const hide = () => { tip?.remove(); dot?.remove(); strip = null; place = -1; };

  const show = async (over, at) => {
    strip = over;
    const cells = many(over);
    place = Math.max(0, Math.min(cells - 1, at));
    const card = over.dataset.strip || over.closest(".card")?.id.slice(2);
    if (!card) return;
    const words = await minutes(card, cells).catch(() => []);
    // With fewer than two hours the strip begins further right.
    const text = words[place - (cells - words.length)];
    if (strip !== over || !over.isConnected) return;
    const box = seen(over).getBoundingClientRect(), step = box.width / cells;
    tip ??= Object.assign(document.createElement("div"), { className: "tip", role: "status" });
    dot ??= Object.assign(document.createElement("i"), { className: "dot" });
    if (!text) return hide();
    tip.textContent = text;
    document.body.append(tip);
    over.append(dot);
    dot.style.left = `${(place + 1 / 3) * step}px`;
    const left = box.left + scrollX + (place + 0.5) * step - tip.offsetWidth / 2;
    tip.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${box.top + scrollY - tip.offsetHeight - 6}px`;
  };

  document.addEventListener("pointermove", (event) => {
    const over = event.target.closest?.(".strip");
    if (!over) return strip && document.activeElement !== strip && hide();
    const box = seen(over).getBoundingClientRect();
    const at = Math.floor((event.clientX - box.left) / box.width * many(over));
    if (over !== strip || at !== place) show(over, at);
  });
  document.addEventListener("focusin", (event) => {
    const over = event.target.closest(".strip");
    if (over && over.matches(":focus-visible")) show(over, many(over) - 1);
    else hide();
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("content", hide);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return hide();
    const over = event.target.closest?.(".strip");
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -120, End: 120 }[event.key];
    if (!over || !step) return;
    event.preventDefault();
    show(over, (strip === over && place >= 0 ? place : many(over) - 1) + step);
  });
})();
