// The little that all parts need of the document.

export const $ = (id) => document.getElementById(id);

// Makes an element; its text is text, whatever is in it.
export function element(name, className = "", text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
