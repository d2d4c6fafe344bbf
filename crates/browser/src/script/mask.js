// Hides what pictures must not show, or shows it again. Given: the CSS of it, or nothing.
const [css] = arguments;
document.getElementById("masked-for-a-picture")?.remove();
if (css) {
  const style = document.createElement("style");
  style.id = "masked-for-a-picture";
  style.textContent = `${css} { visibility: hidden !important; }`;
  document.documentElement.append(style);
}
return new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(() => done(true))); setTimeout(() => done(true), 500); });
