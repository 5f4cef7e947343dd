// meanings.ts: what a figure means, and which metrics it is made from: open on hover, focus or tap (style.css), and closed
// by Escape or by a tap anywhere else, though pointer and focus may stay (WCAG 2.2, 1.4.13).

import { make } from './elements.js';

/** What a figure is called, what it means, and the metrics that it is made from. */
export interface Explanation {
  readonly title: string;
  readonly meaning: string;
  readonly metrics: readonly string[];
}

/** What keeps a meaning open. */
const HELD_OPEN = ':focus-within, :hover, .tile:hover *';

const all: HTMLElement[] = [];

/** The name of a figure, with its meaning. */
export function explained({ title, meaning, metrics }: Explanation): HTMLElement {
  const id = `meaning-${all.length}`;
  const codes = metrics.flatMap((metric) => [' ', make('code', {}, metric)]);
  const text = make('span', { class: 'meaning', id, role: 'tooltip' }, meaning, ...codes);
  const button = make('button', { type: 'button', 'aria-describedby': id }, title);
  const element = make('span', { class: 'explained' }, button, text);
  button.addEventListener('click', () => element.classList.remove('closed'));
  all.push(element);
  return element;
}

/** Closed until pointer and focus have gone, or the name is clicked. */
function closeAllBut(kept: EventTarget | null): void {
  for (const element of all) if (!element.contains(kept as Node | null)) element.classList.add('closed');
}

function forgetClosed(): void {
  for (const element of all) if (!element.matches(HELD_OPEN)) element.classList.remove('closed');
}

document.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') closeAllBut(null);
});
document.addEventListener('pointerdown', ({ target }) => closeAllBut(target));
document.addEventListener('pointerover', forgetClosed);
document.addEventListener('focusin', forgetClosed);
document.addEventListener('focusout', forgetClosed);
