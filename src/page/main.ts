// main.ts: the page's beginning: listens to /live and hands what comes to the shop and to the window behind it.

import type { LiveFigures, LiveToys } from '../live-figures.js';
import { byId, setText } from './elements.js';
import { Shop } from './shop.js';
import { StoreWindow } from './store-window.js';

/** Figures come once a second: after this long without any the store is said to be out of reach. */
const SILENCE_MS = 2_500;
/** Wait before the stream is opened again, where the browser does not do so by itself. */
const REOPEN_MS = 1_000;

const connection = byId('connection');
const problem = byId('problem');
const shop = new Shop();
const storeWindow = new StoreWindow();
let heardAtMs = performance.now();

function say(state: 'live' | 'lost' | 'full', text: string): void {
  connection.dataset.state = state;
  setText(connection, text);
}

function heard(figures: LiveFigures): void {
  heardAtMs = performance.now();
  const away = figures.services.filter(({ isUp }) => !isUp).map(({ name }) => name);
  if (away.length > 0) say('lost', `The ${away.join(' and the ')} service is away.`);
  else if (figures.services.some(({ isSelling }) => !isSelling)) say('lost', 'The store does not sell at the moment.');
  else say('live', 'Live');
}

function listen(): void {
  const events = new EventSource('/live');
  events.addEventListener('toys', (event) => shop.update(JSON.parse(event.data) as LiveToys));
  events.addEventListener('figures', (event) => {
    const figures = JSON.parse(event.data) as LiveFigures;
    heard(figures);
    storeWindow.update(figures);
  });
  events.addEventListener('error', () => {
    if (events.readyState !== EventSource.CLOSED) return;
    // The store refused: too many watch already. Buying still works.
    say('full', 'No live figures just now: too many watch, or the store is away.');
    setTimeout(listen, REOPEN_MS);
  });
}

function showProblem(text: string): void {
  problem.hidden = false;
  setText(problem, `Something went wrong on this page: ${text}`);
}

window.addEventListener('error', (event) => showProblem(event.message));
window.addEventListener('unhandledrejection', (event) => showProblem(String(event.reason)));
setInterval(() => {
  if (performance.now() - heardAtMs > SILENCE_MS && connection.dataset.state !== 'full') {
    say('lost', 'The store is out of reach. Trying again…');
  }
}, REOPEN_MS);
listen();
