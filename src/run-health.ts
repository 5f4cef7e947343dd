// run-health.ts: asks one service on this machine whether it is well: `node dist/src/cli.js health catalog`. It is what a
// container's health check runs, so it starts fast, needs no curl, and its exit code says it all.
//
// The front end is asked over HTTP for /healthz: it is well while it answers, whatever its backends do, because a restart
// would not help them. Catalog and order are asked by the standard gRPC health check for the whole server.
//
// Both questions are asked with the least that can ask them: src/rpc, with reflection and all, takes 340 ms to load, and
// every container asks every few seconds; this takes 0.1 s of CPU, most of it the start of Node itself.

import { type ChannelCredentials, Client, credentials } from '@grpc/grpc-js';
import { formatAddress, type HttpOrigin, reachableHost } from './address.js';
import { peerFiles } from './certificates.js';
import { UsageError, wantsHelp } from './flags.js';
import { askStatus } from './http-probe.js';
import { messageOf } from './log.js';
import { EXIT_FAILED, EXIT_OK } from './process-end.js';
import { PeerCredentials } from './rpc/peer-credentials.js';
import { parseSettings, type ServiceName, type Settings } from './settings.js';
import { readIdentity } from './tls/tls-identity.js';

/** A service of this machine answers in a millisecond; Docker's own limit in the images is 3 s. */
const ANSWER_TIMEOUT_MS = 2_000;
const OK = 200;
const HEALTH_CHECK = '/grpc.health.v1.Health/Check';
/** As in rpc/grpc-channel.ts: no look-up of service configurations, and no http_proxy on the way to this machine. */
const CHANNEL_OPTIONS = { 'grpc.service_config_disable_resolution': 1, 'grpc.enable_http_proxy': 0 };
/** HealthCheckResponse { status: SERVING }: field 1, a varint, of value 1. */
const SERVING = Buffer.from([0x08, 0x01]);

const HELP = `Usage: node dist/src/cli.js health catalog|order|frontend [flags]

Asks the service on this machine whether it is well: exit code 0 if so, 1 if not. HOST and the ports are the settings of
the service.
`;

/** Runs the command; returns the exit code. */
export async function runHealth(argv: readonly string[]): Promise<number> {
  if (wantsHelp(argv)) {
    process.stdout.write(HELP);
    return EXIT_OK;
  }
  const [service, ...flags] = argv;
  const settings = parseSettings(flags, process.env);
  const host = reachableHost(settings.host);
  try {
    switch (service) {
      case 'frontend':
        await askHttp({
          scheme: settings.tlsCert === undefined ? 'http' : 'https',
          host,
          port: settings.frontendPort,
        });
        break;
      case 'catalog':
        await askGrpc(formatAddress(host, settings.catalogPort), credentialsOf(settings, service));
        break;
      case 'order':
        await askGrpc(formatAddress(host, settings.orderPort), credentialsOf(settings, service));
        break;
      default:
        throw new UsageError(`${JSON.stringify(service ?? '')} is no service: name catalog, order or frontend`);
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    process.stderr.write(`${service} is not well: ${messageOf(error)}\n`);
    return EXIT_FAILED;
  }
  process.stdout.write(`${service} is well\n`);
  return EXIT_OK;
}

/** Resolves when `GET /healthz` is answered with 200. */
async function askHttp(origin: HttpOrigin): Promise<void> {
  const status = await askStatus(origin, '/healthz', ANSWER_TIMEOUT_MS);
  if (status !== OK) throw new Error(`it answers with status ${status}`);
}

/** Resolves when the server as a whole is SERVING. */
async function askGrpc(address: string, channelCredentials: ChannelCredentials): Promise<void> {
  const client = new Client(address, channelCredentials, CHANNEL_OPTIONS);
  const asBytes = (bytes: Buffer): Buffer => bytes;
  // A HealthCheckRequest that names no service is empty.
  const request = Buffer.alloc(0);
  const deadline = Date.now() + ANSWER_TIMEOUT_MS;
  try {
    const status = await new Promise<Buffer | undefined>((resolve, reject) => {
      client.makeUnaryRequest(HEALTH_CHECK, asBytes, asBytes, request, { deadline }, (error, response) =>
        error === null ? resolve(response) : reject(error),
      );
    });
    if (status === undefined || !status.equals(SERVING)) throw new Error('it is not serving');
  } finally {
    client.close();
  }
}

/** Those of the service itself. It is asked by an address of this machine, which its certificate need not name. */
function credentialsOf(settings: Settings, service: ServiceName): ChannelCredentials {
  const files = peerFiles(settings, [service]);
  if (files === undefined) return credentials.createInsecure();
  return new PeerCredentials(readIdentity(files), { isNameChecked: false });
}
