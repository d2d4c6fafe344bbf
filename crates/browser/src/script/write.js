// Puts a text in the place of what a field has, as typing would. Given: the element in the open chat or in the page, the text.
const [chat, css, text] = arguments;
const root = chat ? document.querySelector(chat) : document;
const field = root && root.querySelector(css);
if (!field) return false;
field.focus();
if (field.select) field.select();
else {
  const range = document.createRange();
  range.selectNodeContents(field);
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}
document.execCommand("delete");
return text === "" || document.execCommand("insertText", false, text);
