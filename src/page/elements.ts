// elements.ts: making and finding elements of the page, with their attributes in one line.

/** The element of that id. Throws where the page has none: then page and program do not belong together. */
export function byId<Kind extends HTMLElement>(id: string): Kind {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no element #${id}`);
  return element as Kind;
}

/** A new element with attributes and children; text is text and never markup. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Sets a text where it differs: a screen reader and the layout are left alone otherwise. */
export function setText(element: Node, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
