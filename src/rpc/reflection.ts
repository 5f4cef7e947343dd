// reflection.ts: what the services of a server are, for those who ask: grpcurl and its like.
//
// The library that answers reads .proto files and brings a protobuf runtime of its own, 67 files in all; to load it in every
// thread of three processes was a fifth of what a start cost, and hardly any thread is ever asked. So the calls are taken
// as bytes, and the first one loads it.
//
// Protocol: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md

import { fileURLToPath } from 'node:url';
import {
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { GrpcService } from './active-calls.js';
import { RpcError } from './rpc-error.js';

/** What reflection tells about. */
export interface Reflected {
  /** .proto files, by absolute path or relative to one of `protoFolders`. */
  readonly protoFiles: readonly string[];
  /** Where imports of the .proto files are found. */
  readonly protoFolders: readonly string[];
}

/** A service of every server (health-service.ts). */
const HEALTH_PROTO = fileURLToPath(new URL('../../../proto/grpc/health/v1/health.proto', import.meta.url));
/** Both versions that clients speak: older tools only know v1alpha. */
const VERSIONS = ['v1', 'v1alpha'] as const;
const METHOD = 'ServerReflectionInfo';

type BytesCall = ServerDuplexStream<Buffer, Buffer>;
/** By the path of its method, what takes a call. */
type Handlers = ReadonlyMap<string, (call: BytesCall) => void>;

export function reflectionServices(reflected: Reflected): GrpcService[] {
  let loading: Promise<Handlers> | undefined;
  return VERSIONS.map((version) => {
    const path = `/grpc.reflection.${version}.ServerReflection/${METHOD}`;
    const handle = (call: BytesCall): void => {
      loading ??= load(reflected);
      loading.then(
        (handlers) => handlers.get(path)?.(call),
        (error: unknown) => call.emit('error', { code: status.INTERNAL, details: RpcError.from(error).message }),
      );
    };
    return { definition: { [METHOD]: bytesMethod(path) }, implementation: { [METHOD]: handle } as never };
  });
}

function bytesMethod(path: string): ServiceDefinition[string] {
  const asIs = (bytes: Buffer): Buffer => bytes;
  return {
    ...{ path, requestStream: true, responseStream: true },
    ...{ requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs },
  };
}

async function load({ protoFiles, protoFolders }: Reflected): Promise<Handlers> {
  const [{ loadSync }, { ReflectionService }] = await Promise.all([
    import('@grpc/proto-loader'),
    import('@grpc/reflection'),
  ]);
  const handlers = new Map<string, (call: BytesCall) => void>();
  const service = new ReflectionService(loadSync([...protoFiles, HEALTH_PROTO], { includeDirs: [...protoFolders] }));
  service.addToServer({
    addService(definition: ServiceDefinition, implementation: UntypedServiceImplementation) {
      for (const [name, method] of Object.entries(definition)) {
        const handler = implementation[name] as unknown as (call: unknown) => void;
        handlers.set(method.path, (call) => handler(asMessages(call, method)));
      }
    },
  });
  return handlers;
}

/** A call of bytes as one of messages: as much of a stream as the library's handler uses. */
function asMessages(call: BytesCall, { requestDeserialize, responseSerialize }: ServiceDefinition[string]): unknown {
  return {
    on: (event: string, listener: (message?: unknown) => void) =>
      call.on(event, event === 'data' ? (bytes: Buffer) => listener(requestDeserialize(bytes)) : listener),
    write: (message: unknown) => call.write(responseSerialize(message)),
    end: () => call.end(),
  };
}
