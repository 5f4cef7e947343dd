// grpc-channel.ts: how channels and servers of grpc-js are set up here. The defaults suit a wide-area network with proxies
// and service configurations in DNS; services beside one another need to find a restarted peer within a second.
//
// Every option is explained where it is set. List of options: the README of @grpc/grpc-js, "Supported Channel Options".

import type { ChannelOptions } from '@grpc/grpc-js';

/** A peer that starts beside us is found at once; to try five times a second costs the two nothing worth counting. */
const RECONNECT_BACKOFF_MAX_MS = 200;
const RECONNECT_BACKOFF_MIN_MS = 50;
/** A name is looked up again on reconnecting, but not more often than this: a container that has come back may have a
 *  new address. */
const NAME_LOOKUP_INTERVAL_MS = 500;
/** A connection that lost its peer without a word (a container's network taken away) is given up after both together:
 *  10 s, the longest that an order may wait, so that a peer that merely stands still is told by its missing answer. */
const CLIENT_PING_INTERVAL_MS = 1_000;
const CLIENT_PING_TIMEOUT_MS = 8_000;
/** The server only cleans up: a connection that is gone costs it some memory and nothing else. */
const SERVER_PING_INTERVAL_MS = 10_000;
const SERVER_PING_TIMEOUT_MS = 10_000;
/** Bytes that a peer may send ahead on one stream or connection: several of the largest batches, instead of the 64 KiB of
 *  HTTP/2, which one batch can fill and then waits a round trip for. */
const FLOW_CONTROL_WINDOW_BYTES = 1024 * 1024;

/** Options for a grpc-js client: one connection of its own, quick to come back, never by way of a proxy. */
export function createChannelOptions(): ChannelOptions {
  return {
    'grpc.initial_reconnect_backoff_ms': RECONNECT_BACKOFF_MIN_MS,
    'grpc.max_reconnect_backoff_ms': RECONNECT_BACKOFF_MAX_MS,
    'grpc.dns_min_time_between_resolutions_ms': NAME_LOOKUP_INTERVAL_MS,
    'grpc.keepalive_time_ms': CLIENT_PING_INTERVAL_MS,
    'grpc.keepalive_timeout_ms': CLIENT_PING_TIMEOUT_MS,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
    // Clients of one process do not share a connection: each thread's server side is then a thread of its own.
    'grpc.use_local_subchannel_pool': 1,
    // Batch streams try again by themselves, and know what may be tried again.
    'grpc.enable_retries': 0,
    // No look-up of TXT records for a service configuration that nobody publishes.
    'grpc.service_config_disable_resolution': 1,
    // The environment's http_proxy is meant for the world outside.
    'grpc.enable_http_proxy': 0,
    // Introspection that nobody reads costs a little on every message.
    'grpc.enable_channelz': 0,
  };
}

/** Options for a grpc-js server that gets its connections from a pool. */
export function createServerOptions(): ChannelOptions {
  return {
    'grpc.keepalive_time_ms': SERVER_PING_INTERVAL_MS,
    'grpc.keepalive_timeout_ms': SERVER_PING_TIMEOUT_MS,
    'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
    'grpc.enable_channelz': 0,
  };
}
