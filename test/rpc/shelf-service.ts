// shelf-service.ts: the tiny gRPC service that the tests of src/rpc talk to. A shelf is asked for many names at once and
// answers each with its length, so that every outcome can be checked against its item. Messages are JSON: no code needs
// to be generated, and a test can send nonsense.

import { once } from 'node:events';
import net from 'node:net';
import {
  Client,
  type ClientDuplexStream,
  credentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { BatchStream, type BatchStreamOptions, createChannelOptions, GrpcThread } from '../../src/rpc/index.js';

export interface LookRequest {
  names: string[];
}

export interface LookResponse {
  lengths: number[];
}

const serialize = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const deserialize = (bytes: Buffer) => JSON.parse(bytes.toString()) as never;
const codec = {
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
};

/** `look`: many names in each message of a stream. `lookOnce`: the same as a unary call. */
export const shelfDefinition = {
  look: { path: '/test.Shelf/Look', requestStream: true, responseStream: true, ...codec },
  lookOnce: { path: '/test.Shelf/LookOnce', requestStream: false, responseStream: false, ...codec },
} satisfies ServiceDefinition;

export type LookCall = ServerDuplexStream<LookRequest, LookResponse>;
export type LookOnceCall = ServerUnaryCall<LookRequest, LookResponse>;
export type LookOnceAnswer = sendUnaryData<LookResponse>;
export type LookStream = BatchStream<string, number, LookRequest, LookResponse>;
type LookOptions = BatchStreamOptions<string, number, LookRequest, LookResponse>;

export const lengthsOf = ({ names }: LookRequest): LookResponse => ({ lengths: names.map((name) => name.length) });

export function connectToShelf(port: number, channelCredentials = credentials.createInsecure()): Client {
  return new Client(`127.0.0.1:${port}`, channelCredentials, createChannelOptions());
}

export function openLook(client: Client): ClientDuplexStream<LookRequest, LookResponse> {
  const { path, requestSerialize, responseDeserialize } = shelfDefinition.look;
  return client.makeBidiStreamRequest<LookRequest, LookResponse>(path, requestSerialize, responseDeserialize);
}

export function lookOnce(client: Client, request: LookRequest): Promise<LookResponse> {
  const { path, requestSerialize, responseDeserialize } = shelfDefinition.lookOnce;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest<LookRequest, LookResponse>(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      (error, response) => (error === null ? resolve(response!) : reject(error)),
    );
  });
}

/** Never reached in a test that passes. */
const DEADLINE_MS = 20_000;

/** A stream of look-ups with small limits; what a test cares about it sets itself. */
export function lookStream(client: Client, options: Partial<LookOptions> = {}): LookStream {
  return new BatchStream({
    open: () => openLook(client),
    pack: (names) => ({ names }),
    unpack: ({ lengths }) => lengths,
    windowMax: 2,
    batchItemsMax: 16,
    queueItemsMax: 100_000,
    deadlineMs: DEADLINE_MS,
    ...options,
  });
}

export interface ShelfHandlers {
  look: (call: LookCall) => void;
  lookOnce?: (call: LookOnceCall, answer: LookOnceAnswer) => void;
}

/** A GrpcThread behind a listening socket of its own, as one thread of a pool would be. */
export class Shelf implements AsyncDisposable {
  readonly #listener: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(
    readonly thread: GrpcThread,
    listener: net.Server,
  ) {
    this.#listener = listener;
    listener.on('connection', (socket: net.Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      thread.serve(socket);
    });
  }

  /** Serves at `port`; 0: any free one. */
  static async start(handlers: ShelfHandlers, port = 0): Promise<Shelf> {
    const implementation = {
      lookOnce: (call: LookOnceCall, answer: LookOnceAnswer) => answer(null, lengthsOf(call.request)),
      ...handlers,
    };
    const thread = new GrpcThread({ services: [{ definition: shelfDefinition, implementation }] });
    const listener = net.createServer({ pauseOnConnect: true });
    const shelf = new Shelf(thread, listener);
    listener.listen(port, '127.0.0.1');
    await once(listener, 'listening');
    return shelf;
  }

  get port(): number {
    return (this.#listener.address() as net.AddressInfo).port;
  }

  /** Breaks every connection without a word; new ones are welcome. */
  breakConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Accepts no more connections, as a service that has begun to stop. */
  stopListening(): void {
    this.#listener.close();
  }

  /** As a process that is killed: the port and every connection are gone. */
  async kill(): Promise<void> {
    const isClosed = this.#listener.listening ? once(this.#listener, 'close') : undefined;
    this.#listener.close();
    this.breakConnections();
    this.thread.close();
    await isClosed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** A door that is shut until opened: lets a test hold the server's answers back. */
export class Gate {
  #open = () => {};
  readonly opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  open(): void {
    this.#open();
  }
}
