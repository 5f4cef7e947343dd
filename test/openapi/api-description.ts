// api-description.ts: openapi.yaml as a judge of real answers.

import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import type { RawAnswer } from '../support/raw-http.js';

interface Referable {
  readonly $ref?: string;
}

interface HeaderObject extends Referable {
  readonly required?: boolean;
  readonly schema?: object;
}

interface ResponseObject extends Referable {
  readonly headers?: Record<string, HeaderObject>;
  readonly content?: Record<string, { readonly schema?: object }>;
}

interface OperationObject {
  readonly operationId: string;
  readonly responses: Record<string, ResponseObject>;
}

export interface Description {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, OperationObject>>;
}

const METHODS = ['get', 'head', 'post', 'options'];
const DOCUMENT = 'openapi';

/** Checks answers against a description, and remembers which of the described answers it has seen. */
export class ApiDescription {
  readonly #ajv = new Ajv2020({ strict: false, coerceTypes: false });
  readonly #seen = new Set<string>();

  constructor(readonly document: Description) {
    this.#ajv.addSchema(document as object, DOCUMENT);
  }

  static async read(file: URL): Promise<ApiDescription> {
    return new ApiDescription(parse(await readFile(file, 'utf8')));
  }

  /** What is wrong with an answer; nothing if it is as described. */
  check(method: string, target: string, answer: RawAnswer): string[] {
    const operation = this.#operation(method, target);
    if (operation === undefined) return [`no operation ${method} ${target} is described`];
    const status = String(answer.status);
    const key = status in operation.responses ? status : 'default';
    const described = operation.responses[key];
    if (described === undefined) return [`the status ${status} of ${operation.operationId} is not described`];
    this.#seen.add(`${operation.operationId} ${key}`);
    const response = this.#resolve(described);
    return [...this.#checkHeaders(response, answer), ...this.#checkBody(response, answer)];
  }

  /** Described answers that no check has met, as `placeOrder 409`. */
  unseen(): string[] {
    const operations = Object.values(this.document.paths).flatMap((path) =>
      METHODS.flatMap((name) => path[name] ?? []),
    );
    const all = operations.flatMap(({ operationId, responses }) =>
      Object.keys(responses).map((status) => `${operationId} ${status}`),
    );
    return all.filter((one) => !this.#seen.has(one));
  }

  #operation(method: string, target: string): OperationObject | undefined {
    const segments = target.split('/');
    const found = Object.entries(this.document.paths).find(([path]) => {
      const pattern = path.split('/');
      return (
        pattern.length === segments.length &&
        pattern.every((part, index) => part.startsWith('{') || part === segments[index])
      );
    });
    return found?.[1][method.toLowerCase()];
  }

  #checkHeaders(response: ResponseObject, answer: RawAnswer): string[] {
    return Object.entries(response.headers ?? {}).flatMap(([name, reference]) => {
      const header = this.#resolve(reference);
      const value = answer.headers[name.toLowerCase()];
      if (value === undefined) return header.required ? [`the header ${name} is missing`] : [];
      const isNumber = (header.schema as { type?: string } | undefined)?.type === 'integer';
      return this.#violations(header.schema ?? {}, isNumber ? Number(value) : value, `header ${name}`);
    });
  }

  #checkBody(response: ResponseObject, answer: RawAnswer): string[] {
    if (response.content === undefined) return answer.body === '' ? [] : ['there is a body where none is described'];
    const type = answer.headers['content-type']?.split(';')[0] ?? '';
    const schema = response.content[type]?.schema;
    if (schema === undefined) return [`the content type ${JSON.stringify(type)} is not described`];
    return this.#violations(schema, type === 'application/json' ? JSON.parse(answer.body) : answer.body, 'body');
  }

  #violations(schema: object, value: unknown, what: string): string[] {
    const validate = this.#ajv.compile(absolute(schema));
    if (validate(value)) return [];
    return (validate.errors ?? []).map((error) => `${what}${error.instancePath} ${error.message}`);
  }

  #resolve<T extends Referable>(value: T): T {
    if (value.$ref === undefined) return value;
    const names = value.$ref.split('/').slice(1);
    let found: unknown = this.document;
    for (const name of names) found = (found as Record<string, unknown>)[name];
    if (found === undefined) throw new Error(`${value.$ref} leads nowhere`);
    return found as T;
  }
}

/** A schema of the document, so that it can be compiled outside it. */
function absolute(schema: Referable | object): object {
  return '$ref' in schema && typeof schema.$ref === 'string' ? { $ref: `${DOCUMENT}${schema.$ref}` } : schema;
}
