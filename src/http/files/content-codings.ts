// content-codings.ts: which coding of a file a client wants, by its Accept-Encoding (RFC 9110 12.5.3).
//
//   Accept-Encoding: gzip;q=0.8, br, *;q=0       the highest quality wins, br before gzip before identity among equals;
//                                                q=0 is "not this one", "*" is every coding that is not named

/** As they are called in headers; identity is the file as it is. In the order in which they are preferred. */
export const CODINGS = ['br', 'gzip', 'identity'] as const;
export type Coding = (typeof CODINGS)[number];

const ELEMENT = /^([\w!#$%&'*+.^`|~-]+)[ \t]*(?:;[ \t]*q[ \t]*=[ \t]*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)[ \t]*)?$/i;
/** The name that HTTP/1.0 had for it, which is to be taken for the same (RFC 9110 8.4.1.3). */
const OLD_GZIP = 'x-gzip';
/** Without a word about it the file as it is will do, but anything that was asked for is better. */
const UNASKED_IDENTITY_QUALITY = 0.0001;

/**
 * The best of the codings that there are.
 * @param acceptEncoding the header's value; undefined without it, when a client says nothing and gets the file as it is
 * @returns undefined where none of them will do
 */
export function chooseCoding(acceptEncoding: string | undefined, available: readonly Coding[]): Coding | undefined {
  if (acceptEncoding === undefined) return 'identity';
  const qualities = readQualities(acceptEncoding);
  let best: Coding | undefined;
  let bestQuality = 0;
  for (const coding of available) {
    const quality = qualityOf(coding, qualities);
    if (quality <= bestQuality) continue;
    best = coding;
    bestQuality = quality;
  }
  return best;
}

function qualityOf(coding: Coding, qualities: ReadonlyMap<string, number>): number {
  const asked = qualities.get(coding) ?? qualities.get('*');
  if (coding !== 'identity') return asked ?? 0;
  if (qualities.has('identity')) return asked!;
  return asked === 0 ? 0 : UNASKED_IDENTITY_QUALITY;
}

/** Quality by coding, in lower case. What is malformed is passed over: then a client gets what it can surely read. */
function readQualities(acceptEncoding: string): ReadonlyMap<string, number> {
  const qualities = new Map<string, number>();
  for (const element of acceptEncoding.split(',')) {
    const match = ELEMENT.exec(element.trim());
    if (match === null) continue;
    const name = match[1]!.toLowerCase();
    qualities.set(name === OLD_GZIP ? 'gzip' : name, match[2] === undefined ? 1 : Number(match[2]));
  }
  return qualities;
}
