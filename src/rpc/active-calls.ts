// active-calls.ts: which calls a gRPC server is working on. grpc-js counts its calls for connections of its own listening
// ports only, not for injected ones, so whoever injects them must count.
//
// Every handler of a service is wrapped. A unary call is active until its handler has answered, even if the client has
// gone: the work goes on. A stream is active until grpc-js says 'cancelled', which it does after every stream, also one
// that ended well.

import type { EventEmitter } from 'node:events';
import type {
  handleUnaryCall,
  ServiceDefinition,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { drainBatches } from './batch-server.js';

/** What the counting needs of a call, of whichever of the four kinds. */
interface AnyCall extends EventEmitter {
  end?(): void;
}

export interface GrpcService {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
}

export class ActiveCalls {
  readonly #unary = new Set<AnyCall>();
  readonly #streams = new Set<AnyCall>();
  readonly #onIdle: () => void;
  #isDraining = false;

  /** `onIdle` is called whenever the last active call has ended. */
  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
  }

  get count(): number {
    return this.#unary.size + this.#streams.size;
  }

  /** The implementation with every handler counted. */
  wrap(definition: ServiceDefinition, implementation: UntypedServiceImplementation): UntypedServiceImplementation {
    const counted: UntypedServiceImplementation = {};
    for (const [name, method] of Object.entries(definition)) {
      const handler = implementation[name] ?? implementation[method.originalName ?? name];
      if (handler === undefined) continue;
      const isUnary = !method.requestStream && !method.responseStream;
      counted[name] = isUnary
        ? this.#countUnary(handler.bind(implementation) as handleUnaryCall<unknown, unknown>)
        : this.#countStream(handler.bind(implementation) as (call: AnyCall, ...rest: unknown[]) => void);
    }
    return counted;
  }

  /** Long-lived streams end in order: batch streams once they have answered, others (health watchers, reflection) at once. */
  drain(): void {
    this.#isDraining = true;
    for (const call of this.#streams) endStream(call);
  }

  #countUnary(handler: handleUnaryCall<unknown, unknown>): UntypedHandleCall {
    const counted: handleUnaryCall<unknown, unknown> = (call, callback) => {
      this.#unary.add(call);
      try {
        handler(call, (...answer) => {
          callback(...answer);
          this.#remove(this.#unary, call);
        });
      } catch (error) {
        this.#remove(this.#unary, call);
        throw error;
      }
    };
    return counted;
  }

  #countStream(handler: (call: AnyCall, ...rest: unknown[]) => void): UntypedHandleCall {
    const counted = (call: AnyCall, ...rest: unknown[]) => {
      this.#streams.add(call);
      call.on('cancelled', () => this.#remove(this.#streams, call));
      handler(call, ...rest);
      // One that was under way when the drain began.
      if (this.#isDraining) endStream(call);
    };
    return counted as UntypedHandleCall;
  }

  #remove(calls: Set<AnyCall>, call: AnyCall): void {
    if (calls.delete(call) && this.count === 0) this.#onIdle();
  }
}

function endStream(call: AnyCall): void {
  if (!drainBatches(call)) call.end?.();
}
