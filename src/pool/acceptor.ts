// acceptor.ts: the listening socket. It accepts and passes on, paused and never read; it knows nothing of threads.
//
// Where a process has no descriptor left, accept() fails, and the connection that it was for stays where it is. So a
// loop that goes on accepting would spin. libuv keeps one descriptor back to accept such a connection and close it
// at once: no spin, but a client without an answer, of which the program is never told; and when it cannot get that
// descriptor back (another thread was faster, or the limit was lowered), it spins after all, unseen. (Seen with
// libuv 1.46 and 1.52, that is with Node.js 20, 24 and 26.) So before it comes to that we stop listening, without
// closing the listening socket:
//
//   descriptors run out   close the handle that libuv polls; its copy keeps the socket open
//   meanwhile             the kernel takes connections and lets them wait, up to the backlog
//   some are free again   listen on the copy, and make another one

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { haveSpareDescriptors } from './descriptor-limit.js';
import { HandleCopier } from './handle-copier.js';
import { PoolError } from './pool-error.js';
import { handleOf, type RawHandle } from './raw-pipe.js';

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
  #copier: HandleCopier | undefined;
  /** A copy of the listening handle. Nobody polls it. */
  #spare: RawHandle | undefined;
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

  /** Rejects with the system's error, for example EADDRINUSE; with PoolError NOT_RUNNING when it is closed meanwhile. */
  async listen(options: ListenOptions): Promise<AddressInfo> {
    this.#backlog = options.backlog;
    await this.#startListening(options);
    const address = this.#server.address() as AddressInfo;
    // Where there are no such pipes (Windows), it accepts as every other server does.
    this.#copier = await HandleCopier.create().catch(() => undefined);
    if (this.#copier !== undefined && !this.#isClosed) await this.#makeSpare();
    if (this.#isClosed) {
      this.#copier?.close();
      throw closedMeanwhile();
    }
    if (this.#copier !== undefined) this.#watch = setInterval(() => this.#look(), WATCH_MS).unref();
    return address;
  }

  /** Accepts nothing more; connections that were accepted go on. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#watch);
    this.#server.close();
    this.#spare?.close();
    this.#copier?.close();
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

  #look(): void {
    if (haveSpareDescriptors()) {
      if (this.#isPaused) this.#resume();
      else if (this.#spare === undefined) void this.#makeSpare();
    } else if (!this.#isPaused && this.#spare !== undefined) {
      this.#pause();
    }
  }

  #pause(): void {
    this.#isPaused = true;
    this.#server.close();
    // Nothing else may keep the process alive now.
    this.#watch?.ref();
    this.#onError(new PoolError('NO_DESCRIPTORS', 'out of descriptors: nothing is accepted until some are free'));
  }

  #resume(): void {
    this.#isPaused = false;
    this.#watch?.unref();
    const server = this.#createServer();
    // As a child process listens on the handle that its parent has sent it.
    server.listen(this.#spare as never, this.#backlog);
    this.#server = server;
    this.#spare = undefined;
    void this.#makeSpare();
  }

  /** Without a spare it accepts on, and tries again at the next look. */
  async #makeSpare(): Promise<void> {
    const handle = handleOf(this.#server);
    if (handle === null) return;
    const spare = await this.#copier!.copy(handle).catch(() => undefined);
    if (this.#isClosed) spare?.close();
    else this.#spare = spare;
  }
}

function closedMeanwhile(): PoolError {
  return new PoolError('NOT_RUNNING', 'the pool was closed while it began to listen');
}
