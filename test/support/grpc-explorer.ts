// grpc-explorer.ts: a gRPC client that knows an address and nothing else: what the server is, it learns by reflection, as
// grpcurl does. It has the protocol's own .proto file and no file of ours.
//
// Protocol: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { fromBinary } from '@bufbuild/protobuf';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import {
  type Client,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type Metadata,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer, loadSync } from '@grpc/proto-loader';

/** Both versions that clients speak: grpcurl asks for v1 first, older tools only know v1alpha. */
export const REFLECTION_VERSIONS = ['v1', 'v1alpha'] as const;

export type ReflectionVersion = (typeof REFLECTION_VERSIONS)[number];

export type Message = Record<string, unknown>;

type Call = NodeJS.EventEmitter & { write(message: Message): void; end(): void; cancel(): void };
type Method = (...parameters: unknown[]) => Call;

interface ReflectionAnswer {
  readonly messageResponse: string;
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
  readonly errorResponse?: { readonly errorCode: number; readonly errorMessage: string };
}

const OPTIONS = { longs: Number, enums: String, defaults: true, oneofs: true };

export class GrpcExplorer implements Disposable {
  readonly #address: string;
  readonly #version: ReflectionVersion;
  readonly #clients: Client[] = [];

  /** @param address host:port */
  constructor(address: string, version: ReflectionVersion = 'v1') {
    this.#address = address;
    this.#version = version;
  }

  /** The names of the server's services. */
  async services(): Promise<string[]> {
    const { listServicesResponse } = await this.#ask({ listServices: '*' });
    return listServicesResponse!.service.map(({ name }) => name).sort();
  }

  /** A client of a service, with the methods that reflection tells of. */
  async client(service: string): Promise<ExploredClient> {
    const files = new Map<string, Buffer>();
    const take = (protos: readonly Buffer[]): string[] =>
      protos.flatMap((bytes) => {
        const { name, dependency } = fromBinary(FileDescriptorProtoSchema, bytes);
        files.set(name, bytes);
        return dependency;
      });
    let wanted = take(await this.#files({ fileContainingSymbol: service }));
    while (wanted.length > 0) {
      const missing = wanted.filter((name) => !files.has(name));
      wanted = (await Promise.all(missing.map((name) => this.#files({ fileByFilename: name })))).flatMap(take);
    }
    const set = new BinaryWriter();
    const { number } = FileDescriptorSetSchema.field.file;
    for (const bytes of files.values()) set.uint32((number << 3) | 2).bytes(bytes);
    const definition = loadFileDescriptorSetFromBuffer(Buffer.from(set.finish()), OPTIONS);
    return new ExploredClient(this.#open(loadPackageDefinition(definition), service));
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.close();
  }

  async #files(question: Message): Promise<readonly Buffer[]> {
    return (await this.#ask(question)).fileDescriptorResponse!.fileDescriptorProto;
  }

  async #ask(question: Message): Promise<ReflectionAnswer> {
    const file = import.meta.resolve(`@grpc/reflection/build/proto/grpc/reflection/${this.#version}/reflection.proto`);
    const definition = loadSync(fileURLToPath(file), OPTIONS);
    const service = `grpc.reflection.${this.#version}.ServerReflection`;
    const client = this.#open(loadPackageDefinition(definition), service);
    const call = (client as unknown as Record<string, Method>).serverReflectionInfo!();
    call.write(question);
    const [answer] = (await once(call, 'data')) as [ReflectionAnswer];
    call.end();
    if (answer.errorResponse) throw new Error(answer.errorResponse.errorMessage);
    return answer;
  }

  #open(packages: GrpcObject, service: string): Client {
    let found: unknown = packages;
    for (const part of service.split('.')) found = (found as Record<string, unknown>)[part];
    const client = new (found as ServiceClientConstructor)(this.#address, credentials.createInsecure());
    this.#clients.push(client);
    return client;
  }
}

/** A client whose methods are found by name. */
export class ExploredClient {
  readonly #methods: Record<string, Method>;

  constructor(client: Client) {
    this.#methods = client as unknown as Record<string, Method>;
  }

  /** A unary call; rejects with the ServiceError. */
  call(method: string, request: Message, metadata?: Metadata): Promise<Message> {
    return new Promise((resolve, reject) => {
      const answer = (error: ServiceError | null, response: Message): void => {
        if (error === null) resolve(response);
        else reject(error);
      };
      this.#method(method)(request, ...(metadata === undefined ? [] : [metadata]), answer);
    });
  }

  /** A bidirectional stream. */
  stream(method: string): Call {
    return this.#method(method)();
  }

  /** A stream of the server's. */
  listen(method: string, request: Message): Call {
    return this.#method(method)(request);
  }

  #method(name: string): Method {
    const method = this.#methods[name];
    if (method === undefined) throw new Error(`reflection told of no method ${name}`);
    return method.bind(this.#methods);
  }
}
