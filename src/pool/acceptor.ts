// acceptor.ts: the listening socket. It accepts and passes on, paused and never read; it knows nothing of threads.

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export interface ListenOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Connections the kernel holds for us before we accept them. Default: Node's 511. */
  readonly backlog?: number;
}

export class Acceptor {
  readonly #server: Server;

  /** @param onError told of an accept that failed (EMFILE and its like) */
  constructor(allowHalfOpen: boolean, onSocket: (socket: Socket) => void, onError: (error: Error) => void) {
    this.#server = createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen }, onSocket);
    this.#server.on('error', onError);
  }

  /** Rejects with the system's error, for example EADDRINUSE. */
  listen(options: ListenOptions): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(options, () => {
        this.#server.off('error', reject);
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Accepts nothing more; connections that were accepted go on. */
  close(): void {
    this.#server.close();
  }
}
