// request-metadata.ts: the name of a request in the metadata of a unary call. Streams that carry many requests have the
// names in their messages.

import { Metadata } from '@grpc/grpc-js';
import { fittingRequestId, REQUEST_ID_HEADER } from '../request-id.js';

/** Metadata that says the name; none where it is ''. */
export function requestMetadata(requestId: string): Metadata {
  const metadata = new Metadata();
  if (requestId !== '') metadata.set(REQUEST_ID_HEADER, requestId);
  return metadata;
}

/** The name that the caller gave; '' where there is none that fits. */
export function requestIdOf(metadata: Metadata): string {
  return fittingRequestId(metadata.get(REQUEST_ID_HEADER)[0]);
}
