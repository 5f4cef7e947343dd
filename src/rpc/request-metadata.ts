// request-metadata.ts: the name of a request, and its trace, in the metadata of a unary call. Streams that carry many requests have them in
// their messages.

import { Metadata } from '@grpc/grpc-js';
import { fittingRequestId, REQUEST_ID_HEADER } from '../request-id.js';

const TRACEPARENT_HEADER = 'traceparent';

/** Metadata that says the name, and where the request stands in its trace; nothing of what it does not have. */
export function requestMetadata(requestId: string, traceparent: string | undefined): Metadata {
  const metadata = new Metadata();
  if (requestId !== '') metadata.set(REQUEST_ID_HEADER, requestId);
  if (traceparent !== undefined) metadata.set(TRACEPARENT_HEADER, traceparent);
  return metadata;
}

/** As the caller gave it. */
export function traceparentOf(metadata: Metadata): string | undefined {
  return metadata.get(TRACEPARENT_HEADER)[0]?.toString();
}

/** The name that the caller gave; '' where there is none that fits. */
export function requestIdOf(metadata: Metadata): string {
  return fittingRequestId(metadata.get(REQUEST_ID_HEADER)[0]);
}
