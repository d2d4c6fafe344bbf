// How the page lives: logging in, the fragment of the address, the search, one open chat, a message being sent.
const LOGGED_OUT = Symbol("logged out");
let me = null;
let chat = null;
let sequence = 0;

const ask = async (path, body) => {
  const answer = await fetch(`/k/api/${path}`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body || {}),
  });
  if (answer.status === 401) throw LOGGED_OUT;
  return answer.ok ? answer.json() : null;
};

const pause = (seconds) => new Promise((done) => { setTimeout(done, seconds * 1000); });

// Logged out by the server: the page shows its card again. What waits in it is lost.
const guarded = (work) => async (...given) => {
  try {
    return await work(...given);
  } catch (error) {
    if (error !== LOGGED_OUT) throw error;
    localStorage.removeItem("account1");
    if (!$("#auth-pages")) await logIn();
    return null;
  }
};

const logIn = async () => {
  document.body.classList.add("has-auth-pages");
  $("#page-chats").style.display = "none";
  const pages = make("div", "");
  pages.id = "auth-pages";
  $("#auth-flow-root").replaceChildren(pages);
  for (let expired = true; expired;) {
    const { code } = await ask("code");
    pages.replaceChildren(codeCard(code));
    for (let turn = 0; turn < 100 && expired; turn += 1) {
      await pause(0.3);
      const scanned = await ask(`code/${code}`);
      if (scanned) {
        document.cookie = `web_k=${scanned.session}; path=/; max-age=31536000; samesite=strict`;
        const own = { userId: scanned.user_id, dcID: 2, dc2_auth_key: scanned.session };
        localStorage.setItem("account1", JSON.stringify(own));
        expired = false;
      }
    }
  }
  await start();
  // The card lingers.
  setTimeout(() => { $("#auth-flow-root").replaceChildren(); document.body.classList.remove("has-auth-pages"); }, 300);
};

const start = async () => {
  const known = await ask("start");
  me = known.user_id;
  fill($("#folders-container"), (await ask("dialogs")).map((one) => row(one)));
  $("#page-chats").style.display = "";
  requestAnimationFrame(() => { $("#main-columns").style.opacity = "1"; });
  if (known.locked) document.body.append(make("div", "passcode-lock-screen", make("input", "passcode")));
  if (known.deactivated) deactivate();
  await followFragment();
};

const deactivate = () => {
  document.body.classList.add("deactivated");
  popup("popup-instance-deactivated", "Telegram is open in another tab", "Tap to go on here", "OK");
};

// One tab has the session: a newer one takes it.
const tabs = new BroadcastChannel("web_k");
tabs.onmessage = () => deactivate();
tabs.postMessage("here");

const show = async (found) => {
  chat = await ask("open", { peer_id: found.peer_id });
  if (!chat) return;
  const draft = localStorage.getItem(`draft${chat.peer_id}`) || "";
  $(".chats-container").replaceChildren(screenOf(chat, draft));
  document.body.classList.add("has-chat");
  history.replaceState(null, "", chat.username ? `#@${chat.username}` : `#${chat.peer_id}`);
  scrollDown();
};

const scrollDown = () => {
  const bubbles = $(".chat.active .bubbles");
  bubbles.scrollTop = bubbles.scrollHeight;
};

const followFragment = async () => {
  const wanted = decodeURIComponent(location.hash.slice(1));
  if (!wanted) return;
  const id = Number(wanted);
  const found = Number.isInteger(id) ? await ask("history", { peer_id: id }) : await ask("resolve", { query: wanted.slice(1) });
  if (found) await show(found);
  else toast("Sorry, this user doesn't seem to exist.");
};
addEventListener("hashchange", guarded(followFragment));

// Results arrive one list after the other.
const search = guarded(async (query) => {
  const turn = sequence += 1;
  const part = (name) => $(`#search-container [data-part=${name}]`);
  $("#search-container").classList.toggle("hide", !query);
  $("#folders-container").classList.toggle("hide", Boolean(query));
  if (!query) {
    fill(part("own"), []);
    fill(part("global"), []);
    return;
  }
  await pause(0.1);
  const found = await ask("search", { query });
  if (turn !== sequence) return;
  fill(part("own"), found.own.map((one) => row(one)));
  await pause(0.2);
  if (turn !== sequence) return;
  // The first of the global section has paid to be there, and bears the name that was looked for.
  const advert = { peer_id: 5500000001, title: query, username: query.replace(/^@/, ""), preview: "" };
  fill(part("global"), [row(advert, true), ...found.global.map((one) => row(one))]);
});

const input = () => $(".chat.active .input-message-input:not(.input-field-input-fake)");

// Lines of an editable element are blocks, or end in breaks.
const linesOf = (field) => {
  const lines = [];
  let line = "";
  const end = () => { lines.push(line); line = ""; };
  const walk = (node) => {
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) line += child.data;
      const block = child.tagName === "DIV";
      if ((block && line) || child.tagName === "BR") end();
      walk(child);
      if (block && line) end();
    }
  };
  walk(field);
  if (line) end();
  return lines.join("\n");
};

const typed = () => {
  const field = input();
  const text = linesOf(field).replace(/\u00a0/g, " ");
  field.classList.toggle("is-empty", text === "");
  const button = $(".chat.active .btn-send");
  button.classList.toggle("send", text !== "");
  button.classList.toggle("record", text === "");
  localStorage.setItem(`draft${chat.peer_id}`, text);
  return text;
};

// The client reads marks of Markdown as formatting.
const unmarked = (text) => text.replace(/(\*\*|__|~~|\|\||`)(.+?)\1/g, "$2");

// Sends the text of the field, or a file with its caption; `gone` is called when it has left where it was written.
const sendOff = async (text, file, gone) => {
  const { peer_id } = chat;
  const between = await ask("before");
  if (between === "popup") {
    popup("popup-peer popup-confirmation", "Telegram", "This message is paid with 10 stars.", "OK", "CANCEL");
    return;
  }
  if (between === "slow_mode") {
    const note = make("div", "tooltip slowmode-tooltip", "Slow mode: 0:30");
    $(".chat.active .input-message-container").append(note);
    setTimeout(() => note.remove(), 3000);
    return;
  }
  const mids = [...document.querySelectorAll(".chat.active .bubble")].map(({ dataset }) => Math.floor(dataset.mid));
  const mid = `${Math.max(0, ...mids)}.${String(sequence += 1).padStart(4, "0")}`;
  const at = Math.floor(Date.now() / 1000);
  const made = bubble({ mid, out: true, text, at, media: file?.kind, file: file?.name }, peer_id);
  made.classList.add("is-sending", "is-outgoing");
  $(".chat.active .empty-bubble-placeholder")?.remove();
  $(".chat.active .bubbles-inner").append(made);
  gone();
  scrollDown();
  const random_id = 1 + Math.floor(Math.random() * 2 ** 52);
  for (let outcome = null; ;) {
    outcome = await ask("send", { peer_id, text, random_id, file });
    if (outcome?.wait !== undefined) await pause(outcome.wait);
    else if (outcome === "silence") return;
    else if (outcome?.sent) {
      made.dataset.mid = outcome.sent.mid;
      made.dataset.timestamp = outcome.sent.at;
      break;
    } else {
      made.classList.add("is-error");
      break;
    }
  }
  // Classes of the state are set when the page is painted.
  requestAnimationFrame(() => {
    made.classList.remove("is-sending", "is-outgoing");
    if (!made.classList.contains("is-error")) made.classList.add(peer_id === me ? "is-read" : "is-sent");
  });
  if (await ask("after")) popup("popup-peer popup-confirmation", "Telegram", "You can only write to mutual contacts.", "OK");
};

const send = guarded(() => sendOff(unmarked(typed()).trim(), null, () => {
  input().replaceChildren();
  typed();
}));

// A pasted file: the client shows what it can as media, and the rest as documents. The field's text becomes the caption.
const attach = async (file) => {
  const kind = /^image\/(jpeg|png|webp)$|^video\/mp4$/.test(file.type) ? "photo" : "document";
  const bytes = new Uint8Array(await file.arrayBuffer());
  let signs = "";
  for (let at = 0; at < bytes.length; at += 0x8000) signs += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  const content = btoa(signs);
  preview(file, kind, guarded((caption, made) => {
    const given = { kind, name: file.name, mime: file.type, content };
    return sendOff(unmarked(linesOf(caption)).trim(), given, () => made.remove());
  }));
};

document.addEventListener("click", (event) => {
  const { target } = event;
  const chosen = target.closest("a.chatlist-chat");
  if (chosen) {
    event.preventDefault();
    if (!chosen.dataset.sponsored) guarded(show)({ peer_id: Number(chosen.dataset.peerId) });
  } else if (target.closest(".btn-send.send")) send();
  else if (target.closest(".btn-send.record")) toast("Recording");
  else if (target.closest(".input-search-clear, .sidebar-search-close")) {
    $(".input-search-input").value = "";
    search("");
  }
});
document.addEventListener("input", ({ target }) => {
  if (target.classList.contains("input-search-input")) {
    for (const name of [".input-search-clear", ".sidebar-search-close"]) $(name).classList.toggle("hide", !target.value);
    search(target.value.trim());
  } else if (target === input()) typed();
});
document.addEventListener("paste", (event) => {
  const [file] = event.clipboardData?.files || [];
  if (!file || !chat) return;
  event.preventDefault();
  attach(file);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") [...document.querySelectorAll(".popup.active:not(.popup-instance-deactivated)")].at(-1)?.remove();
  if (event.key !== "Enter" || event.shiftKey || event.target !== input()) return;
  event.preventDefault();
  if (typed()) send();
});

// What others write appears by itself.
const refresh = guarded(async () => {
  fill($("#folders-container"), (await ask("dialogs")).map((one) => row(one)));
  $("#folders-container").classList.toggle("hide", Boolean($(".input-search-input").value));
  const open = chat;
  const now = open && await ask("history", { peer_id: open.peer_id });
  if (!now || open !== chat) return;
  const inner = $(".chat.active .bubbles-inner");
  for (const message of now.bubbles.filter((one) => !one.out)) {
    if (!$(`[data-mid="${message.mid}"]`, inner)) inner.append(bubble(message, chat.peer_id));
  }
});
setInterval(() => { if (me && !$("#auth-pages")) refresh(); }, 1000);

guarded(start)();
