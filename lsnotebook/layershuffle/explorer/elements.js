// Elements of the page, and how numbers are written.

const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes = {}, ...children) {
  const element = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const button = (name, label, onclick) => make("button", { type: "button", class: `lx-button lx-${name}`, onclick }, label);
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
