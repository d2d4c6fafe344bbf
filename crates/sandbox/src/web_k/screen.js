// What the page draws: lists, a chat with its field and its plate, bubbles, popups, toasts, the card with the code.
const $ = (selector, root = document) => root.querySelector(selector);
const make = (tag, names, ...inside) => {
  const made = document.createElement(tag);
  made.className = names;
  made.append(...inside);
  return made;
};

const row = (chat, sponsored) => {
  const title = make("span", "peer-title", chat.title);
  title.dataset.peerId = chat.peer_id;
  const subtitle = chat.username ? `@${chat.username}` : chat.preview.split("\n")[0];
  const below = make("div", "row-row row-subtitle-row dialog-subtitle", make("div", "row-subtitle", subtitle));
  const made = make("a", "row chatlist-chat", title, below);
  made.dataset.peerId = chat.peer_id;
  made.setAttribute("href", `#${chat.peer_id}`);
  if (sponsored) made.dataset.sponsored = "true";
  if (chat.unread) below.append(make("div", "dialog-subtitle-badge badge dialog-subtitle-badge-unread is-visible unread", String(chat.unread)));
  return made;
};

const fill = (list, rows) => {
  $(".chatlist", list).replaceChildren(...rows);
  list.classList.toggle("hide", rows.length === 0);
};

// The buttons are there in every chat, and some are not hidden while the field is shown: only the wrapper shows which it is.
const BUTTONS = ["start", "unblock", "join", "mute", "premium", "frozen", "unpin", "open"];
const control = (plate) => {
  const center = make("div", "chat-input-plate-center");
  for (const name of BUTTONS) {
    const button = make("button", "btn chat-input-control-button", name.toUpperCase());
    if (name === "join") button.classList.add("btn-color-primary");
    if (name === "premium") {
      const link = make("a", "", "Premium");
      button.replaceChildren(make("span", "peer-title", "Somebody"), " takes messages of ", link);
    }
    if (name === "frozen") button.replaceChildren(make("div", "chat-input-frozen-text", "Your account is frozen"));
    const stray = !plate && (name === "start" || name === "unblock");
    button.classList.toggle("hide", !(stray || plate === name));
    center.append(button);
  }
  return make("div", "chat-input-control chat-input-wrapper", center);
};

const field = (chat, draft) => {
  const input = make("div", "input-message-input is-empty i18n", draft);
  input.classList.toggle("is-empty", !draft);
  input.setAttribute("contenteditable", String(chat.plate !== "forbidden"));
  input.dataset.peerId = chat.peer_id;
  const fake = make("div", "input-message-input input-field-input-fake i18n");
  fake.setAttribute("contenteditable", "true");
  fake.tabIndex = -1;
  const placeholder = make("span", "input-field-placeholder", "Message");
  if (chat.plate === "paid") placeholder.replaceChildren(make("span", "input-message-placeholder-stars", "10"));
  const send = make("button", `btn-icon btn-circle btn-send ${draft ? "send" : "record"}`, "▶");
  const inside = make("div", "input-message-container", input, placeholder, fake);
  const rows = make("div", "rows-wrapper", make("div", "new-message-wrapper", inside, send));
  const plated = BUTTONS.includes(chat.plate) ? chat.plate : null;
  const wrapper = make("div", "rows-wrapper-wrapper", rows, control(plated));
  wrapper.classList.toggle("is-centering-to-control", Boolean(plated));
  const made = make("div", "chat-input chat-input-main", make("div", "chat-input-container", wrapper));
  made.classList.toggle("is-hidden", chat.plate === "forbidden");
  return made;
};

const bubble = (message, peer) => {
  const tick = make("span", "time-sending-status");
  const text = make("span", "translatable-message", message.text);
  const time = make("span", "time", tick, "12:00");
  const inside = make("div", "message spoilers-container");
  const content = make("div", "bubble-content", inside);
  // A document is in the message with its name and its size, a picture above it; without a caption there are no words.
  if (message.media === "document") {
    const name = make("div", "document-name", message.file || "file");
    const document = make("div", "document", name, make("div", "document-size", "1 KB"));
    inside.append(make("div", "document-container", document));
  } else if (message.media) content.prepend(make("div", "attachment media-container"));
  if (message.text || !message.media) inside.append(text);
  inside.append(time);
  const side = message.service ? "service" : message.out ? "is-out" : "is-in";
  const made = make("div", `bubble hide-name ${side} ${message.media === "photo" ? "photo" : ""}`, content);
  made.dataset.mid = message.mid;
  made.dataset.peerId = peer;
  made.dataset.timestamp = message.at;
  return made;
};

const empty = (chat) => {
  const kind = { premium: "premiumRequired", paid: "paidMessages", forbidden: "restricted" }[chat.plate] || "greeting";
  return make("div", `empty-bubble-placeholder empty-bubble-placeholder-${kind}`);
};

const screenOf = (chat, draft) => {
  const title = make("span", "peer-title", chat.title);
  title.dataset.peerId = chat.peer_id;
  const status = make("div", "info", "last seen recently");
  const info = make("div", "chat-info", make("div", "user-title", title), status);
  const inner = make("div", "bubbles-inner", ...chat.bubbles.map((message) => bubble(message, chat.peer_id)));
  if (chat.bubbles.length === 0) inner.append(empty(chat));
  const topbar = make("div", "sidebar-header topbar", info);
  return make("div", "chat tabs-tab active", topbar, make("div", "bubbles", inner), field(chat, draft));
};

const popup = (names, title, words, ...buttons) => {
  const close = make("button", "btn-icon popup-close", "×");
  const all = buttons.map((text) => make("button", `btn popup-button${text === "OK" ? " primary" : ""}`, text));
  const description = make("p", "popup-description", words);
  const inside = make("div", "popup-container", close, make("div", "popup-title", title), description, ...all);
  const made = make("div", `popup ${names} active`, inside);
  made.addEventListener("click", ({ target }) => {
    if (target === close || all.includes(target)) made.remove();
  });
  document.body.append(made);
};

// What is about to be sent, with a caption of its own. The button comes when the file is drawn.
const preview = (file, kind, send) => {
  const close = make("button", "btn-icon popup-close", "×");
  const caption = make("div", "simple-message-input-input input-message-input");
  caption.setAttribute("contenteditable", "true");
  const fake = make("div", "simple-message-input-input input-field-input-fake");
  fake.setAttribute("contenteditable", "true");
  const confirm = make("button", "btn-icon simple-message-input-confirm", "▶");
  const item = make("div", `popup-item popup-item-${kind === "photo" ? "media" : "document"}`, file.name);
  const row = make("div", "simple-message-input", caption, fake);
  const inside = make("div", "popup-container", close, make("div", "popup-title", "Send File"), item, row);
  const made = make("div", "popup popup-send-photo popup-new-media active", inside);
  close.addEventListener("click", () => made.remove());
  confirm.addEventListener("click", () => { send(caption, made); });
  document.body.append(made);
  setTimeout(() => row.append(confirm), 200);
};

const toast = (words) => {
  const made = make("div", "toast is-visible", words);
  $(".toasts-container").replaceChildren(made);
  setTimeout(() => made.remove(), 3000);
};

// A picture that is another for each code. Nothing can scan it.
const codeCard = (code) => {
  const canvas = make("canvas", "qr-canvas");
  canvas.width = canvas.height = 240;
  const pen = canvas.getContext("2d");
  [...code].forEach((letter, place) => {
    for (let bit = 0; bit < 5; bit += 1) {
      if (letter.charCodeAt(0) >> bit & 1) pen.fillRect(place % 8 * 30 + bit * 6, Math.floor(place / 8) * 30, 6, 30);
    }
  });
  return make("div", "card-qr", canvas);
};
