// desk-line.ts: a gRPC thread's line to the engine's thread: requests by number, answers in any order.

import type { MessagePort } from 'node:worker_threads';
import { ChurnMap } from '../churn-map.js';
import { RpcError } from '../rpc/index.js';
import { type DeskAnswer, type DeskRequest, ownBytes } from './thread-messages.js';

interface Waiting {
  resolve(bytes: Uint8Array): void;
  reject(error: RpcError): void;
}

export class DeskLine {
  readonly #port: MessagePort;
  readonly #waiting = new ChurnMap<number, Waiting>();
  #nextId = 0;

  /** @param onSelling told whether orders are taken */
  constructor(port: MessagePort, onSelling: (isSelling: boolean) => void) {
    this.#port = port;
    port.on('message', (answer: DeskAnswer) => {
      if (answer.kind === 'selling') return onSelling(answer.isSelling);
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.kind === 'answer') waiting?.resolve(answer.bytes);
      else waiting?.reject(new RpcError(answer.code, answer.message));
    });
  }

  /** The answer's bytes; rejects with an RpcError. */
  ask(kind: DeskRequest['kind'], bytes: Uint8Array, requestId = '', patienceMs?: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      const request: DeskRequest = { id, kind, bytes: ownBytes(bytes), patienceMs, requestId };
      this.#port.postMessage(request);
    });
  }
}
