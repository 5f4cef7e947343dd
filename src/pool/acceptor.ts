// acceptor.ts: the listening socket. It accepts and passes on, paused and never read; it knows nothing of threads.
//
// Where a process has no descriptor left, accept() fails, and the connection that it was for stays where it is. So a
// loop that goes on accepting would spin. libuv keeps one descriptor back to accept such a connection and close it
// at once: no spin, but a client without an answer, of which the program is never told; and when it cannot get that
// descriptor back (another thread was faster, or the limit was lowered), it spins after all, unseen. (Seen with
// libuv 1.46 and 1.52, that is with Node.js 20, 24 and 26.) So before it comes to that we stop listening, without
// closing the listening socket:
//
//   at the start          make a copy of the listening handle, which nobody polls
//   descriptors run out   close the handle that libuv polls; the copy keeps the socket open
//   meanwhile             the kernel takes connections and lets them wait, up to the backlog
//   some are free again   listen on a copy of the copy

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { handleOf, type NodeHandle } from '../node-internals.js';
import { haveSpareDescriptors, shortageBehind } from './descriptor-limit.js';
import { copyHandle } from './handle-copier.js';
import { PoolError } from './pool-error.js';

/**
 * How often descriptors are looked for: so long at most a spin can last, or connections be closed without an answer. A
 * look takes some 20 microseconds.
 */
const WATCH_MS = 200;

export interface ListenOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Connections the kernel holds for us before we accept them. Default: Node's 511. */
  readonly backlog?: number;
}

export class Acceptor {
  readonly #allowHalfOpen: boolean;
  readonly #onSocket: (socket: Socket) => void;
  readonly #onError: (error: Error) => void;
  #backlog: number | undefined;
  #server: Server;
  /** A copy of the listening handle. Nobody polls it. */
  #spare: NodeHandle | undefined;
  #watch: NodeJS.Timeout | undefined;
  #isPaused = false;
  #isClosed = false;

  /** @param onError told when it stops accepting because descriptors have run out, and of any accept that failed */
  constructor(allowHalfOpen: boolean, onSocket: (socket: Socket) => void, onError: (error: Error) => void) {
    this.#allowHalfOpen = allowHalfOpen;
    this.#onSocket = onSocket;
    this.#onError = onError;
    this.#server = this.#createServer();
  }

  /** Rejects with the system's error, for example EADDRINUSE; with PoolError NOT_RUNNING when it is closed meanwhile,
   *  NO_DESCRIPTORS when none is left. */
  async listen(options: ListenOptions): Promise<AddressInfo> {
    this.#backlog = options.backlog;
    await this.#startListening(options);
    const address = this.#server.address() as AddressInfo;
    // Without a spare, for which there are no pipes on Windows, it accepts as every other server does.
    this.#spare = await copyHandle(handleOf(this.#server)!).catch((error) => {
      const shortage = shortageBehind(error);
      if (shortage === undefined) return undefined;
      this.close();
      throw new PoolError('NO_DESCRIPTORS', `cannot listen: ${shortage}`, { cause: error });
    });
    if (this.#isClosed) {
      this.#spare?.close();
      throw closedMeanwhile();
    }
    if (this.#spare !== undefined) this.#watchSoon();
    return address;
  }

  /** Accepts nothing more; connections that were accepted go on. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#watch);
    this.#server.close();
    this.#spare?.close();
  }

  #startListening(options: ListenOptions): Promise<void> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      const onClose = () => reject(closedMeanwhile());
      server.once('error', reject);
      server.once('close', onClose);
      server.listen(options, () => {
        server.off('error', reject);
        server.off('close', onClose);
        // A close that comes while the host's name is looked up does not keep the server from listening after that.
        if (this.#isClosed) server.close(onClose);
        else resolve();
      });
    });
  }

  #createServer(): Server {
    const options = { pauseOnConnect: true, noDelay: true, allowHalfOpen: this.#allowHalfOpen };
    return createServer(options, this.#onSocket).on('error', this.#onError);
  }

  /** Looks for descriptors after a while, and so on: one look has ended before the next is due, however long it takes. */
  #watchSoon(): void {
    const look = () => void this.#look(this.#spare!);
    this.#watch = setTimeout(look, WATCH_MS);
    // While nothing is accepted nothing else may keep the process alive.
    if (!this.#isPaused) this.#watch.unref();
  }

  async #look(spare: NodeHandle): Promise<void> {
    const isShort = !haveSpareDescriptors();
    if (isShort && !this.#isPaused) this.#pause();
    else if (!isShort && this.#isPaused) await this.#resume(spare);
    if (!this.#isClosed) this.#watchSoon();
  }

  #pause(): void {
    this.#isPaused = true;
    this.#server.close();
    this.#onError(
      new PoolError(
        'NO_DESCRIPTORS',
        'out of file descriptors (ulimit -n): no connection is accepted until some are free',
      ),
    );
  }

  /** Where it fails, because descriptors have just run out again, the next look tries again. */
  async #resume(spare: NodeHandle): Promise<void> {
    const handle = await copyHandle(spare).catch(() => undefined);
    if (handle === undefined) return;
    if (this.#isClosed) return handle.close();
    this.#isPaused = false;
    const server = this.#createServer();
    // As a child process listens on the handle that its parent has sent it.
    server.listen(handle as never, this.#backlog);
    this.#server = server;
  }
}

function closedMeanwhile(): PoolError {
  return new PoolError('NOT_RUNNING', 'the pool was closed while it began to listen');
}
