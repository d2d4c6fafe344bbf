// The names of the selectors that find nothing. Given: pairs of name and CSS, and the selector of the open chat or nothing.
const [pairs, chat] = arguments;
const root = chat ? document.querySelector(chat) : document;
return pairs.filter(([name, css]) => name === "chat" ? !root : !root || !root.querySelector(css)).map(([name]) => name);
