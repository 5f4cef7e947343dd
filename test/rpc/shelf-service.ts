// shelf-service.ts: the tiny gRPC service that the tests of src/rpc talk to. A shelf is asked for many names at once and
// answers each with its length, so that every outcome can be checked against its item. Messages are JSON: no code needs
// to be generated, and a test can send nonsense.

import net from 'node:net';
import { Client, credentials, type ServerDuplexStream, type ServiceDefinition } from '@grpc/grpc-js';
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

/** `Look`: many names in each message of a stream. `LookOnce`: the same as a unary call. */
export const shelfDefinition = {
  look: { path: '/test.Shelf/Look', requestStream: true, responseStream: true, ...codec },
  lookOnce: { path: '/test.Shelf/LookOnce', requestStream: false, responseStream: false, ...codec },
} satisfies ServiceDefinition;

export type LookCall = ServerDuplexStream<LookRequest, LookResponse>;

export const lengthsOf = ({ names }: LookRequest): LookResponse => ({ lengths: names.map((name) => name.length) });

/** A client, the stream options for it, and what closes it. */
export function connectToShelf(port: number): {
  client: Client;
  open: () => ReturnType<typeof openLook>;
  close(): void;
} {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), createChannelOptions());
  return { client, open: () => openLook(client), close: () => client.close() };
}

function openLook(client: Client) {
  const { path, requestSerialize, responseDeserialize } = shelfDefinition.look;
  return client.makeBidiStreamRequest<LookRequest, LookResponse>(path, requestSerialize, responseDeserialize);
}

type LookOptions = BatchStreamOptions<string, number, LookRequest, LookResponse>;

/** A stream of look-ups with small limits; what a test cares about it sets itself. */
export function lookStream(options: Pick<LookOptions, 'open'> & Partial<LookOptions>) {
  return new BatchStream<string, number, LookRequest, LookResponse>({
    pack: (names) => ({ names }),
    unpack: ({ lengths }) => lengths,
    windowMax: 2,
    batchItemsMax: 16,
    queueItemsMax: 100_000,
    ...options,
  });
}

/** A GrpcThread behind a listening socket of its own, as one thread of a pool would be. */
export interface ShelfServer {
  readonly port: number;
  readonly thread: GrpcThread;
  /** Breaks every connection without a word, and stops listening. */
  kill(): Promise<void>;
}

/** Serves `look` at `port`; 0: any free one. */
export async function startShelf(look: (call: LookCall) => void, port = 0): Promise<ShelfServer> {
  const thread = new GrpcThread({
    services: [
      {
        definition: shelfDefinition,
        implementation: {
          look,
          lookOnce: (call: { request: LookRequest }, callback: (error: null, response: LookResponse) => void) =>
            callback(null, lengthsOf(call.request)),
        } as never,
      },
    ],
  });
  const listener = net.createServer({ pauseOnConnect: true }, (socket) => thread.serve(socket));
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  const kill = async () => {
    const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
    thread.close();
    await closed;
  };
  return { port: (listener.address() as net.AddressInfo).port, thread, kill };
}
