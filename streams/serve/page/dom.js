// Creates elements. Every text is set as text, never as markup: titles, names and links come from untrusted users.

const SVG = "http://www.w3.org/2000/svg";

// el("p", { class: "x", title: "…" }, "text", node, …). A null child or attribute is left out.
export function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

// Writing the same value again costs a layout. So compare first.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (value == null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

export function setStyle(node, name, value) {
  if (node.style.getPropertyValue(name) !== value) node.style.setProperty(name, value);
}

// The address from an untrusted user, if it may be followed: only http and https, no "javascript:" and no "data:".
export function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  } catch {
    return null;
  }
}

// A link to another site if the address may be followed, else only the text. The site learns nothing of the reader.
export function outsideLink(address, text) {
  const url = webAddress(address);
  if (!url) return el("span", { dir: "auto" }, text);
  return el("a", { href: url.href, rel: "noopener noreferrer nofollow", target: "_blank", dir: "auto" }, text);
}
