// What can be seen of the page now. Given: the table of selectors.
const [S] = arguments;
const all = (css, root = document) => root ? [...root.querySelectorAll(css)] : [];
const one = (css, root = document) => root ? root.querySelector(css) : null;
const shown = (node) => Boolean(node && node.getClientRects().length && getComputedStyle(node).visibility !== "hidden");
const number = (text) => Number.isSafeInteger(Number(text)) && text !== "" ? Number(text) : null;

// Text as people read it: emoji may be pictures, lines may be blocks.
const words = (node) => {
  let text = "";
  const walk = (inside) => {
    for (const child of inside.childNodes) {
      if (child.nodeType === 3) text += child.data;
      else if (child.nodeType !== 1) continue;
      else if (child.tagName === "BR") text += "\n";
      else if (child.tagName === "IMG") text += child.alt || "";
      else if (child.matches(S.bubble_time)) continue;
      else {
        if (/^(DIV|P)$/.test(child.tagName) && text && !text.endsWith("\n")) text += "\n";
        walk(child);
      }
    }
  };
  if (node) walk(node);
  return text;
};

const message = (bubble) => {
  const inside = one(S.bubble_message, bubble);
  const media = Boolean(one(S.bubble_media, bubble));
  const said = one(S.bubble_words, inside || bubble);
  return {
    mid: bubble.dataset.mid,
    peer: number(bubble.dataset.peerId),
    at: number(bubble.dataset.timestamp),
    // A document has its name and size beside its caption.
    text: words(said || (media ? null : inside)),
    media,
    error: bubble.classList.contains("is-error"),
  };
};

const kind = (popup) => {
  for (const name of ["media", "confirmation", "premium", "stars"]) if (popup.matches(S[`popup_${name}`])) return name;
  return "other";
};

const openChat = () => {
  const chat = one(S.chat);
  if (!chat) return null;
  const field = one(S.chat_field, chat);
  const input = one(S.chat_input, chat);
  const send = one(S.chat_send, chat);
  const buttons = all(S.chat_buttons, one(S.chat_control, chat));
  const has = (css) => Boolean(one(css, chat));
  return {
    title_peer: number(one(S.chat_title, chat)?.dataset.peerId ?? ""),
    field_peer: number(field?.dataset.peerId ?? ""),
    plate: has(S.chat_plate),
    buttons: buttons.map((button, index) => ({
      index,
      hidden: button.classList.contains("hide"),
      frozen: Boolean(one(S.button_frozen, button)),
      premium: Boolean(one(S.button_peer, button) && one(S.button_link, button)),
      primary: button.matches(S.button_primary),
    })),
    input_hidden: !input || input.classList.contains("is-hidden") || input.classList.contains("hide"),
    editable: field?.getAttribute("contenteditable") === "true",
    typed: words(field),
    sends: Boolean(send?.classList.contains("send")),
    stars: has(S.chat_stars),
    empty_premium: has(S.chat_empty_premium),
    empty_paid: has(S.chat_empty_paid),
    empty_restricted: has(S.chat_empty_restricted),
    below: shown(one(S.chat_go_down, chat)),
    own: all(S.chat_own, chat).map(message),
    incoming: all(S.chat_incoming, chat).map(message),
  };
};

const userId = () => {
  try {
    return number(String(JSON.parse(localStorage.getItem("account1")).userId));
  } catch {
    return null;
  }
};

const chats = one(S.page_chats);
const columns = one(S.main_columns);
const auth = one(S.auth_pages);
const popup = all(S.popup).at(-1);
const preview = one(S.popup_media);
const card = !auth ? null
  : one(S.auth_code) ? "code"
  : all(S.auth_password).some(shown) ? "password"
  : one(S.auth_phone) ? "phone" : "other";
return {
  address: location.href,
  nodes: document.getElementsByTagName("*").length,
  chats_shown: Boolean(chats && getComputedStyle(chats).display !== "none"),
  columns_opaque: Boolean(columns && getComputedStyle(columns).opacity === "1"),
  list: Boolean(one(S.rows) || one(S.search_input)),
  card,
  locked: Boolean(one(S.locked)),
  deactivated: Boolean(one(S.deactivated)),
  user_id: userId(),
  popup: popup && {
    kind: kind(popup),
    title: words(one(S.popup_title, popup)),
    words: words(one(S.popup_words, popup)),
  },
  preview: preview && {
    items: all(S.media_item, preview).length,
    typed: words(one(S.media_caption, preview)),
    sends: Boolean(one(S.media_send, preview)),
  },
  toast: Boolean(one(S.toast)),
  rows: all(S.search_rows).map((row) => ({
    peer: number(row.dataset.peerId),
    subtitle: words(one(S.row_subtitle, row)),
    sponsored: row.matches(S.row_sponsored),
    shown: shown(row),
  })).filter(({ peer }) => peer !== null),
  unread: all(S.rows).filter((row) => one(S.row_unread, row)).map((row) => ({
    peer: number(row.dataset.peerId ?? ""),
    mark: `${words(one(S.row_unread, row))} ${words(one(S.row_subtitle, row))}`,
  })).filter(({ peer }) => peer !== null),
  chat: openChat(),
};
