// batch-spans.ts: the spans of the messages that are under way on one batch stream, found again by the items of the message.

import type { Span, SpanKind } from './span.js';
import type { Tracer } from './tracer.js';

export class BatchSpans<Item> {
  readonly #tracer: Tracer;
  readonly #name: string;
  readonly #kind: SpanKind;
  readonly #spanOf: (item: Item) => Span | undefined;
  readonly #open = new WeakMap<readonly Item[], Span>();

  constructor(tracer: Tracer, name: string, kind: SpanKind, spanOf: (item: Item) => Span | undefined) {
    this.#tracer = tracer;
    this.#name = name;
    this.#kind = kind;
    this.#spanOf = spanOf;
  }

  /** A message of these items leaves. One that has to be sent again is another one, with a span of its own. */
  begin(items: readonly Item[]): void {
    const span = this.#tracer.batch(this.#name, this.#kind, items, this.#spanOf);
    if (span !== undefined) this.#open.set(items, span);
  }

  /** Its answer has come. */
  end(items: readonly Item[]): void {
    const span = this.#open.get(items);
    if (span === undefined) return;
    span.end();
    this.#open.delete(items);
  }
}
