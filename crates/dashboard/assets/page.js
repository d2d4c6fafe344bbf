// What every page does when scripts run: forms and questions without a new page, keys, notes, copying. All of it works without, too.
"use strict";
const page = (() => {
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const root = document.documentElement;
  root.classList.add("script");

  // Milliseconds to measure waits with: a clock that is set back takes none away, and a sleep of the machine counts.
  let wall = Date.now(), ticks = performance.now(), gone = wall;
  const now = () => {
    const there = Date.now(), here = performance.now();
    gone += Math.max(there - wall, here - ticks);
    wall = there;
    ticks = here;
    return gone;
  };

  // Times of day are the visitor's own: sent once, then every page is drawn so.
  const zone = `zone=${-new Date().getTimezoneOffset()}`;
  if (!document.cookie.split("; ").includes(zone)) {
    document.cookie = `${zone}; path=/; max-age=31536000; samesite=lax`;
    if (document.cookie.includes(zone) && one("time")) location.reload();
  }

  // A page as a document; where it asks to sign in, the browser goes there.
  const get = async (address, options = {}) => {
    const answer = await fetch(address, { credentials: "same-origin", signal: AbortSignal.timeout(190000), ...options });
    if (new URL(answer.url).pathname === "/sign-in") return location.assign(answer.url);
    if (!(answer.headers.get("content-type") || "").startsWith("text/html")) throw new Error(answer.statusText);
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    return { found, address: answer.url };
  };

  // What is shown, by its address; going back to another one draws that again, also where that was before this ran.
  const place = (address = location) => address.pathname + address.search;
  let shown = place(new URL(performance.getEntriesByType("navigation")[0].name));
  const redraw = () => place() !== shown && location.reload();
  addEventListener("popstate", redraw);
  redraw();
  const same = (address) => new URL(address).pathname + new URL(address).search === location.pathname + location.search;

  // How a fresh page names what someone is on: by its id, or by where it leads.
  const sign = (one) => {
    const named = (name, of = one) => `[${name}="${CSS.escape(of.getAttribute(name))}"]`;
    if (one.id) return `#${CSS.escape(one.id)}`;
    for (const name of ["href", "formaction"]) if (one.hasAttribute(name)) return named(name);
    return one.matches("form[action] button") ? `form${named("action", one.form)} button` : null;
  };

  // What was unfolded stays so when it is drawn again.
  const unfold = (old, fresh) => {
    for (const one of all("details[open][id]", old)) fresh.querySelector(`#${CSS.escape(one.id)}`)?.setAttribute("open", "");
  };

  // Puts `fresh` in the place of `old` and the focus back where it was.
  const put = (old, fresh) => {
    const focused = old !== document.activeElement && old.contains(document.activeElement) && sign(document.activeElement);
    unfold(old, fresh);
    old.replaceWith(document.adoptNode(fresh));
    const field = focused && one(focused, fresh);
    if (field) field.focus();
    if (field?.type === "search") field.setSelectionRange(field.value.length, field.value.length);
  };

  // The one who was on what is gone goes on at what came instead.
  const settle = () => {
    if (document.activeElement !== document.body) return;
    const dialog = one("dialog[open]");
    (dialog ? one("a[href], button, input:not([type=hidden])", dialog) : one("#content"))?.focus({ preventScroll: true });
  };

  // Makes `old` say what `fresh` says and leaves alone what says it already, as little that changes is drawn soon. What has
  // an id goes on under that id, the rest in its place. White space with a new line in it is none of it. It goes over some
  // thousand nodes at a press, so it makes no lists of them, and no objects of their attributes.
  const meant = (node) => {
    while (node?.nodeType === Node.TEXT_NODE && node.data.includes("\n") && !node.data.trim()) node = node.nextSibling;
    return node;
  };
  const morph = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== Node.ELEMENT_NODE) return void (old.data = fresh.data);
    for (const name of old.getAttributeNames()) fresh.hasAttribute(name) || name === "open" || old.removeAttribute(name);
    for (const name of fresh.getAttributeNames()) {
      const value = fresh.getAttribute(name);
      old.getAttribute(name) === value || old.setAttribute(name, value);
    }
    const named = new Map(), stays = new Set();
    for (let child = old.firstElementChild; child; child = child.nextElementSibling) child.id && named.set(child.id, child);
    if (named.size) for (const child of fresh.children) named.has(child.id) && stays.add(named.get(child.id));
    // One that is not found again makes room for those that are.
    if (stays.size) named.forEach((child) => stays.has(child) || child.remove());
    let place = meant(old.firstChild);
    for (let child = meant(fresh.firstChild), next; child; child = next) {
      next = meant(child.nextSibling);
      const here = place?.nodeName === child.nodeName && !stays.has(place) ? place : undefined;
      const twin = named.get(child.id) ?? here;
      if (twin && twin === place) place = meant(place.nextSibling);
      else old.insertBefore(twin ?? child, place);
      if (twin) morph(twin, child);
    }
    while (place) { const gone = place; place = meant(place.nextSibling); gone.remove(); }
  };

  // The same page of something else. Its fields show what it is of, unless someone is in one.
  const turn = (old, fresh) => {
    morph(old, fresh);
    const form = one("form[data-here]", old);
    form?.contains(document.activeElement) || form?.reset();
  };

  const notes = (found) => {
    const fresh = one("#notes", found);
    if (fresh && fresh.children.length) one("#notes").replaceChildren(...fresh.children);
    fade();
  };
  const fade = () => all("#notes .toast:not(.bad)").forEach((note) => setTimeout(() => note.remove(), 10000));

  // Takes over a page that came from elsewhere than a click on a link.
  const take = ({ found, address }, show = put) => {
    notes(found);
    const asked = one("#ask", found);
    const dialog = one("dialog[open]");
    if (dialog && asked) return ask(asked, address);
    dialog?.close();
    document.title = found.title;
    if (same(address) && one("#board") && one("#board", found)) return document.dispatchEvent(new CustomEvent("board", { detail: found }));
    show(one("#content"), one("#content", found));
    morph(one("#rail"), one("#rail", found));
    if (!same(address)) { history.pushState(null, "", address); shown = place(); scrollTo(0, 0); }
    one("#content [autofocus]")?.focus();
    settle();
    document.dispatchEvent(new Event("content"));
  };

  // Another part of the same list. The one who turned a page goes on at the top of the next one, others where they are.
  let going = 0;
  const go = async (address, turned) => {
    const mine = ++going;
    try {
      const got = await get(address);
      if (!got || mine !== going) return;
      take(got, turn);
      if (turned || document.activeElement === document.body) one("#content").focus({ preventScroll: true });
    } catch { location.assign(address); }
  };

  // A short page over this one.
  const ask = (asked, address) => {
    let dialog = one("#over");
    if (!dialog) {
      dialog = Object.assign(document.createElement("dialog"), { id: "over" });
      document.body.append(dialog);
      dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    }
    dialog.dataset.address = address;
    dialog.setAttribute("aria-labelledby", "ask-title");
    all("[data-back]", asked).forEach((field) => (field.value = location.pathname + location.search));
    const old = one("#ask", dialog);
    old ? put(old, asked) : dialog.append(document.adoptNode(asked));
    if (!dialog.open) dialog.showModal();
    settle();
  };

  document.addEventListener("click", async (event) => {
    const pressed = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey && event.target;
    const part = pressed && pressed.closest("a[data-here]");
    if (part) { event.preventDefault(); go(part.href, part.closest(".pager")); }
    const link = pressed && pressed.closest("a[data-dialog]");
    if (link) {
      event.preventDefault();
      try {
        const got = await get(link.href);
        if (!got) return;
        const asked = one("#ask", got.found);
        asked ? ask(asked, got.address) : take(got);
      } catch { location.assign(link.href); }
    }
    const dialog = event.target.closest("dialog");
    if (dialog && event.target.closest("[data-close]")) { event.preventDefault(); dialog.close(); }
    if (event.target.closest("#notes .btn")) event.target.closest(".toast").remove();
    const copied = event.target.closest("[data-copy]");
    if (copied) copy(copied);
  });

  const copy = async (button) => {
    const from = document.getElementById(button.dataset.copy);
    // Of a list each item is a line, however it came onto the page.
    const text = from.matches("ol") ? all("li", from).map((item) => item.textContent.replace(/\s+/g, " ").trim()).join("\n") : from.textContent;
    try { await navigator.clipboard.writeText(text); } catch {
      // Without TLS a browser has no clipboard; the old way still works.
      const field = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(field); field.select(); document.execCommand("copy"); field.remove(); button.focus();
    }
    const word = one(".lbl", button) || button, before = word.textContent;
    word.textContent = button.dataset.copied;
    setTimeout(() => (word.textContent = before), 2000);
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target, button = event.submitter;
    if (form.method === "get" && "here" in form.dataset) {
      event.preventDefault();
      return void go(`${form.action}?${new URLSearchParams(new FormData(form))}`);
    }
    const takesFiles = "fetched" in form.dataset;
    if (form.method !== "post" || (form.enctype !== "application/x-www-form-urlencoded" && !takesFiles) || "plain" in form.dataset) return;
    event.preventDefault();
    if (form.dataset.sending) return;
    form.dataset.sending = "yes";
    button?.classList.add("sending");
    try {
      const fields = new FormData(form, button), body = takesFiles ? fields : new URLSearchParams(fields);
      const got = await get(button?.hasAttribute("formaction") ? button.formAction : form.action, { method: "POST", body });
      if (got) take(got);
    } catch (error) {
      const note = Object.assign(document.createElement("div"), { className: "toast bad", textContent: `${one("#notes").dataset.lost} (${error.message})` });
      one("#notes").replaceChildren(note);
    } finally {
      delete form.dataset.sending;
      button?.classList.remove("sending");
    }
  });
  document.addEventListener("change", (event) => event.target.matches("[data-submit]") && event.target.form.requestSubmit());

  // A key by its Latin letter: on other layouts, such as the Russian one, by its place on the keyboard.
  const keyOf = ({ key, code }) => /^[ -~]$/.test(key) && !/^[.,]$/.test(key) ? key : /^Key([A-Z])$/.exec(code)?.[1].toLowerCase() || { Slash: "/" }[code] || key;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
    const key = keyOf(event);
    if (key === "/" && one("[data-find]")) { event.preventDefault(); one("[data-find]").focus(); }
    const named = one(`[data-key="${CSS.escape(key)}"]`);
    if (named) { event.preventDefault(); named.matches("textarea") ? named.focus() : named.click(); }
    const step = { j: 1, k: -1 }[key];
    if (!step) return;
    const items = all(".card h3 a, [data-item]");
    const here = items.findIndex((item) => item.closest("li, tr")?.contains(document.activeElement));
    items[Math.max(0, Math.min(items.length - 1, here < 0 ? 0 : here + step))]?.focus();
  });

  // Files dropped anywhere on a form that takes some are chosen in it.
  const taker = (event) => [...(event.dataTransfer?.types || [])].includes("Files") && one("[data-drop] input[type=file]");
  document.addEventListener("dragover", (event) => {
    if (!taker(event)) return;
    event.preventDefault();
    one("[data-drop]").classList.add("over");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || one("[data-drop]")?.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    const field = taker(event);
    if (!field) return;
    event.preventDefault();
    one("[data-drop]").classList.remove("over");
    field.files = event.dataTransfer.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
  document.addEventListener("change", (event) => {
    const place = event.target.closest("[data-drop]");
    if (place && event.target.files) one("[data-chosen]", place).textContent = [...event.target.files].map((file) => file.name).join(", ");
  });

  // Pieces that ask for themselves again.
  setInterval(async () => {
    if (document.hidden) return;
    for (const old of all("[data-refresh]")) {
      const at = now() / 1000;
      old.asked ??= at;
      // What someone types into stays; a button or link that is found again gets the focus back.
      const focused = old !== document.activeElement && old.contains(document.activeElement) && document.activeElement;
      if (at - old.asked < Number(old.dataset.refresh) || focused && !(focused.matches("button, a") && sign(focused))) continue;
      old.asked = at;
      const dialog = old.closest("dialog");
      if (dialog && !dialog.open) continue;
      try {
        const got = await get(dialog ? dialog.dataset.address : location.href);
        const fresh = got && document.getElementById(old.id) === old && one(`#${old.id}`, got.found);
        if (fresh) { put(old, fresh); if (focused) settle(); }
      } catch { /* it is asked again */ }
    }
  }, 1000);
  fade();
  return { one, all, get, now, sign, morph, unfold };
})();
