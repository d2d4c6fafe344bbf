// Hands a file to the open chat, as pasting it would. Given: the chat, its field, the bytes in Base64, the file's name and type.
const [chat, css, bytes, name, type] = arguments;
const field = document.querySelector(chat)?.querySelector(css);
if (!field) return false;
const content = Uint8Array.from(atob(bytes), (sign) => sign.charCodeAt(0));
const clipboardData = new DataTransfer();
clipboardData.items.add(new File([content], name, { type }));
field.focus();
const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
// Firefox makes the event without the files.
if (!event.clipboardData.files.length) Object.defineProperty(event, "clipboardData", { value: clipboardData });
field.dispatchEvent(event);
return true;
