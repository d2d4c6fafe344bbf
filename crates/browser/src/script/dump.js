// The page as HTML, without what pictures do not show, what runs, and what is drawn. Given: the CSS of what is hidden, the most letters.
const [css, most] = arguments;
const copy = document.documentElement.cloneNode(true);
const attributes = ["id", "class", "type", "contenteditable", "data-mid", "data-peer-id", "data-timestamp", "data-sponsored"];
const strip = (node, kept) => {
  for (const { name } of [...node.attributes]) if (!kept.includes(name)) node.removeAttribute(name);
};
for (const node of copy.querySelectorAll("head, script, style, template, noscript, iframe, svg")) node.remove();
for (const node of copy.querySelectorAll(css)) {
  node.replaceChildren("masked");
  strip(node, ["id", "class"]);
}
// Styles tell what is hidden; pictures in them, and what fields have, are no one's business.
for (const node of copy.querySelectorAll("*")) {
  const style = /\b(display|opacity|visibility):\s*[\w.]+/g;
  const shown = (node.getAttribute("style") || "").match(style);
  strip(node, attributes);
  if (shown) node.setAttribute("style", shown.join("; "));
}
const text = copy.outerHTML;
return text.length > most ? `${text.slice(0, most)}<!-- cut -->` : text;
