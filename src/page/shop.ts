// shop.ts: the toys with price and stock, a buy button each, and the orders of this visitor.

import type { LiveToy, LiveToys } from '../live-figures.js';
import { byId, make, setText } from './elements.js';
import type { VisitorOutcome } from './store-api.js';
import { VisitorOrders } from './visitor-orders.js';

/** The parts of a toy's card that change. */
interface Card {
  readonly item: HTMLLIElement;
  readonly price: HTMLElement;
  readonly stock: HTMLElement;
  readonly quantity: HTMLInputElement;
  readonly button: HTMLButtonElement;
  readonly outcome: HTMLElement;
  left: number;
  isBuying: boolean;
}

export class Shop {
  readonly #list = byId<HTMLUListElement>('toys');
  readonly #more = byId('more-toys');
  readonly #cards = new Map<string, Card>();
  #cardsMade = 0;
  readonly #orders = new VisitorOrders(() => this.#showOrders());

  constructor() {
    this.#showOrders();
    this.#orders.resume();
  }

  /** Shows the toys as they are now. */
  update({ toys, total }: LiveToys): void {
    for (const toy of toys) this.#show(toy);
    const names = new Set(toys.map(({ name }) => name));
    for (const [name, card] of this.#cards) {
      if (names.has(name)) continue;
      card.item.remove();
      this.#cards.delete(name);
    }
    this.#list.removeAttribute('aria-busy');
    this.#more.hidden = total <= toys.length;
    setText(this.#more, `and ${(total - toys.length).toLocaleString('en')} more, by GET /products/<name>`);
  }

  #show({ name, priceCents, quantity }: LiveToy): void {
    let card = this.#cards.get(name);
    if (card === undefined) {
      card = this.#addCard(name);
      this.#cards.set(name, card);
    }
    card.left = quantity;
    setText(card.price, formatPrice(priceCents));
    setText(card.stock, quantity === 0 ? 'sold out' : `${quantity.toLocaleString('en')} left`);
    card.item.classList.toggle('sold-out', quantity === 0);
    this.#refresh(card);
  }

  #addCard(name: string): Card {
    const id = `toy-${this.#cardsMade++}`;
    const stock = make('p', { class: 'stock' });
    const quantity = make('input', { type: 'number', min: '1', step: '1', value: '1', id: `${id}-quantity` });
    const button = make(
      'button',
      { type: 'submit', 'aria-describedby': `${id}-outcome` },
      'Buy',
      make('span', { class: 'visually-hidden' }, ` ${name}`),
    );
    const outcome = make('p', { class: 'outcome', id: `${id}-outcome`, role: 'status' });
    const form = make(
      'form',
      { novalidate: '' },
      make('label', { for: quantity.id, class: 'visually-hidden' }, `Quantity of ${name}`),
      quantity,
      button,
    );
    const price = make('p', { class: 'price' });
    const item = make('li', { class: 'toy' }, make('h3', {}, name), price, stock, form, outcome);
    const card: Card = { item, price, stock, quantity, button, outcome, left: 0, isBuying: false };
    // The second click of a double click comes after a quick answer, when the button can be pressed again.
    button.addEventListener('click', (event) => {
      if (event.detail > 1) event.preventDefault();
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#buy(name, card);
    });
    this.#list.append(item);
    return card;
  }

  async #buy(name: string, card: Card): Promise<void> {
    if (card.isBuying) return;
    const quantity = Number(card.quantity.value);
    if (!Number.isInteger(quantity) || quantity < 1) {
      this.#say(card, 'refused', 'The quantity must be a whole number of at least 1.');
      card.quantity.focus();
      return;
    }
    card.isBuying = true;
    this.#refresh(card);
    this.#say(card, 'open', 'On its way…');
    const outcome = await this.#orders.buy(name, quantity, (message) => {
      this.#say(card, 'open', `${message} Trying again; it is bought once.`);
    });
    card.isBuying = false;
    this.#refresh(card);
    this.#say(card, outcome.kind, wordsOf(outcome));
  }

  #refresh({ button, isBuying, left }: Card): void {
    // Never `disabled` while it has the focus: that would lose the place of who works by keyboard.
    button.setAttribute('aria-disabled', String(isBuying || left === 0));
  }

  #say(card: Card, kind: VisitorOutcome['kind'], text: string): void {
    card.outcome.dataset.kind = kind;
    setText(card.outcome, text);
  }

  #showOrders(): void {
    const { orders, open } = this.#orders;
    byId('no-orders').hidden = orders.length + open.length > 0;
    byId('orders').replaceChildren(
      ...open.map(({ name, quantity }) => make('li', { class: 'open' }, `${quantity} × ${name}: not answered yet`)),
      ...orders.map(({ number, name, quantity }) =>
        make('li', {}, make('a', { href: `/orders/${number}` }, `Order ${number}`), `: ${quantity} × ${name}`),
      ),
    );
  }
}

function wordsOf(outcome: VisitorOutcome): string {
  switch (outcome.kind) {
    case 'sold':
      return `Order ${outcome.orderNumber} is yours.`;
    case 'refused':
      return `${outcome.status}: ${outcome.message}`;
    case 'open':
      return outcome.message;
  }
}

function formatPrice(cents: number): string {
  return (cents / 100).toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}
