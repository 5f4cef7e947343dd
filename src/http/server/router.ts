// router.ts: from method and path to a handler, on bytes.
//
//   /products/:name     root ─ "products" ─ :parameter → GET …        matched segment by segment, no string made
//   /orders                  └ "orders" → POST …
//
// The path is split at "/" first; then each segment is percent-decoded, so "/%70roducts/a%2Fb" finds the product "a/b".
// What every resource can answer without its handler is answered here: HEAD by the GET handler, OPTIONS and 405 with
// Allow, 404, 501 for methods that no resource has anywhere, `OPTIONS *`. Source: RFC 9110 9 and 15.5.6.
import { assert } from '../../assert.js';
import { PERCENT, SLASH } from '../parser/grammar.js';
import { isWholeServer, percentDecode } from '../parser/request-target.js';
import type { Exchange, Handler } from './exchange.js';
import { type PreparedHeaders, prepareHeaders } from './prepared-headers.js';

/** An answer that needs no body of a request: an error with its message, or without one a status alone. */
export interface HeadAnswer {
  readonly status: number;
  readonly message: string;
  readonly headers?: PreparedHeaders;
}

export interface RouteOptions {
  /** Largest body this resource takes, in place of the server's `bodyBytesMax`. */
  readonly bodyBytesMax?: number;
  /**
   * Looks at the headers of a request before its body is there; what it returns is the answer, and the handler does not
   * run. So a peer that waits for `100 Continue` hears of a refusal at once. May be called twice for a request.
   */
  readonly checkHead?: CheckHead;
  /** What logs and metrics call the route, where one pattern of many would be too much detail. */
  readonly routeName?: string;
}

type CheckHead = (exchange: Exchange) => HeadAnswer | undefined;

interface Action {
  readonly handler: Handler;
  readonly checkHead: CheckHead | undefined;
}

/** What stands behind one pattern. */
export interface Resource {
  readonly pattern: string;
  /** For logs and metrics. */
  readonly name: string;
  readonly parameterNames: readonly string[];
  readonly actions: Map<string, Action>;
  options: HeadAnswer;
  notAllowed: HeadAnswer;
  bodyBytesMax: number | undefined;
}

interface Node {
  readonly literals: { readonly segment: Buffer; readonly node: Node }[];
  parameter: Node | undefined;
  resource: Resource | undefined;
}

/**
 * Methods of RFC 9110 9.3 and RFC 5789: known, so 405 where a resource lacks them; any other is 501. So is CONNECT, whose
 * target is never a resource.
 */
const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH']);

const NOT_FOUND: HeadAnswer = { status: 404, message: 'not found' };
const NOT_IMPLEMENTED: HeadAnswer = { status: 501, message: 'method not implemented' };
/** RFC 9110 15.5.16: what would be read is said with it. */
const CONTENT_CODED: HeadAnswer = {
  status: 415,
  message: 'a body with a Content-Encoding is not read here',
  headers: prepareHeaders({ 'Accept-Encoding': 'identity' }),
};

export class Router {
  private readonly root = newNode();
  private serverOptions: HeadAnswer = { status: 204, message: '', headers: allowHeaders([]) };
  private readonly methods = new Set<string>();

  /**
   * Adds a route.
   * @param pattern absolute path; a segment ":name" matches any one segment, an empty one too. Literals go first.
   */
  add(method: string, pattern: string, handler: Handler, options: RouteOptions = {}): this {
    assert(pattern.startsWith('/'), `pattern ${pattern} does not begin with "/"`);
    assert(KNOWN_METHODS.has(method), `no resource can have method ${method}`);
    const segments = pattern.slice(1).split('/');
    let node = this.root;
    for (const segment of segments) node = segment.startsWith(':') ? parameterOf(node) : literalOf(node, segment);
    node.resource ??= newResource(pattern, segments, options.routeName ?? pattern);
    const resource = node.resource;
    assert(resource.pattern === pattern, `${pattern} and ${resource.pattern} match the same paths`);
    assert(!resource.actions.has(method), `${method} ${pattern} is there already`);
    resource.actions.set(method, { handler, checkHead: options.checkHead });
    resource.bodyBytesMax = options.bodyBytesMax ?? resource.bodyBytesMax;
    const headers = allowHeaders(resource.actions.keys());
    resource.options = { status: 204, message: '', headers };
    resource.notAllowed = { status: 405, message: 'method not allowed', headers };
    this.methods.add(method);
    this.serverOptions = { status: 204, message: '', headers: allowHeaders(this.methods) };
    return this;
  }

  /**
   * Finds the resource of a path, still encoded, in `bytes` from `start` to `end`.
   * @param parameterRanges receives start and end of each parameter's segment, in the pattern's order
   */
  find(bytes: Buffer, start: number, end: number, parameterRanges: number[]): Resource | undefined {
    let node = this.root;
    let parameterCount = 0;
    let index = start;
    while (index < end) {
      const segmentStart = index + 1; // after the slash
      let isEncoded = false;
      for (index = segmentStart; index < end && bytes[index] !== SLASH; index++) isEncoded ||= bytes[index] === PERCENT;
      const literal = isEncoded
        ? findWhole(node, percentDecode(bytes, segmentStart, index))
        : findLiteral(node, bytes, segmentStart, index);
      if (literal !== undefined) {
        node = literal;
      } else if (node.parameter !== undefined) {
        node = node.parameter;
        parameterRanges[parameterCount++] = segmentStart;
        parameterRanges[parameterCount++] = index;
      } else {
        return undefined;
      }
    }
    return node.resource;
  }

  /**
   * The answer that method, target and headers alone decide: 404, 405, 501, 415 for an encoded body, OPTIONS, and what the
   * route's `checkHead` says.
   */
  headAnswer(exchange: Exchange, resource: Resource | undefined, hasContentCoding: boolean): HeadAnswer | undefined {
    return this.answerWithout(actionFor(exchange, resource), exchange, resource, hasContentCoding);
  }

  /** Answers a complete request, or lets the handler do so; returns what the handler returned. */
  handle(exchange: Exchange, resource: Resource | undefined, hasContentCoding: boolean): void | Promise<void> {
    const action = actionFor(exchange, resource);
    const answer = this.answerWithout(action, exchange, resource, hasContentCoding);
    if (answer === undefined) return action!.handler(exchange);
    const { status, message, headers } = answer;
    if (message === '') exchange.send(status, '', headers);
    else exchange.sendError(status, message, headers);
  }

  private answerWithout(
    action: Action | undefined,
    exchange: Exchange,
    resource: Resource | undefined,
    hasContentCoding: boolean,
  ): HeadAnswer | undefined {
    if (action !== undefined) return hasContentCoding ? CONTENT_CODED : action.checkHead?.(exchange);
    const { method } = exchange;
    if (!KNOWN_METHODS.has(method)) return NOT_IMPLEMENTED;
    if (resource !== undefined) return method === 'OPTIONS' ? resource.options : resource.notAllowed;
    return method === 'OPTIONS' && isWholeServer(exchange.target) ? this.serverOptions : NOT_FOUND;
  }
}

function actionFor({ method }: Exchange, resource: Resource | undefined): Action | undefined {
  return resource?.actions.get(method === 'HEAD' ? 'GET' : method);
}

function newNode(): Node {
  return { literals: [], parameter: undefined, resource: undefined };
}

function newResource(pattern: string, segments: readonly string[], name: string): Resource {
  const parameterNames = segments.filter((segment) => segment.startsWith(':')).map((segment) => segment.slice(1));
  const answers = { options: NOT_FOUND, notAllowed: NOT_FOUND }; // until a method is added
  return { pattern, name, parameterNames, actions: new Map(), ...answers, bodyBytesMax: undefined };
}

function parameterOf(node: Node): Node {
  node.parameter ??= newNode();
  return node.parameter;
}

function literalOf(node: Node, text: string): Node {
  const segment = Buffer.from(text);
  const known = findWhole(node, segment);
  if (known !== undefined) return known;
  const added = newNode();
  node.literals.push({ segment, node: added });
  return added;
}

function findWhole(node: Node, segment: Buffer): Node | undefined {
  return findLiteral(node, segment, 0, segment.length);
}

/** A comparison in JavaScript: segments are short, and Buffer.compare() is a call into the runtime. */
function findLiteral(node: Node, bytes: Buffer, start: number, end: number): Node | undefined {
  const { literals } = node;
  for (let candidate = 0; candidate < literals.length; candidate++) {
    const { segment } = literals[candidate]!;
    if (segment.length !== end - start) continue;
    let offset = 0;
    while (offset < segment.length && segment[offset] === bytes[start + offset]) offset++;
    if (offset === segment.length) return literals[candidate]!.node;
  }
  return undefined;
}

/** HEAD comes with GET, OPTIONS with everything. */
function allowHeaders(methods: Iterable<string>): PreparedHeaders {
  const allowed = new Set<string>();
  for (const method of methods) {
    allowed.add(method);
    if (method === 'GET') allowed.add('HEAD');
  }
  allowed.add('OPTIONS');
  return prepareHeaders({ Allow: [...allowed].join(', ') });
}
