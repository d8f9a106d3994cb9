/** One DER element: its tag and contents. */
interface Element {
  readonly tag: number;
  readonly contents: Buffer;
}

/** Tags of X.690 that lie on the way: SEQUENCE, INTEGER, OBJECT IDENTIFIER, OCTET STRING and [3] EXPLICIT. */
const tags = { sequence: 0x30, integer: 0x02, oid: 0x06, octets: 0x04, extensions: 0xa3 } as const;
/** id-ce-basicConstraints, 2.5.29.19, as encoded. */
const basicConstraintsOid = Buffer.from([0x55, 0x1d, 0x13]);

/**
 * pathLenConstraint of a certificate (RFC 5280, section 4.2.1.9), which Node does not expose: how many authorities may stand between it and a leaf.
 * Undefined when there is no limit. `der` must be a certificate that OpenSSL has parsed; anything else gives undefined.
 */
export function pathLengthOf(der: Buffer): number | undefined {
  const certificate = elements(der)[0];
  const body = certificate === undefined ? undefined : elements(certificate.contents)[0];
  if (body === undefined) return undefined;
  const wrapper = elements(body.contents).find(({ tag }) => tag === tags.extensions);
  const list = wrapper === undefined ? undefined : elements(wrapper.contents)[0];
  if (list === undefined) return undefined;
  for (const extension of elements(list.contents)) {
    const parts = elements(extension.contents);
    const isWanted = parts.some(
      ({ tag, contents }) => tag === tags.oid && contents.equals(basicConstraintsOid),
    );
    const value = parts.find(({ tag }) => tag === tags.octets);
    if (isWanted && value !== undefined) return limitOf(value.contents);
  }
  return undefined;
}

function limitOf(value: Buffer): number | undefined {
  const sequence = elements(value).find(({ tag }) => tag === tags.sequence);
  const limit = elements(sequence?.contents ?? Buffer.alloc(0)).find(
    ({ tag }) => tag === tags.integer,
  );
  if (limit === undefined) return undefined;
  // More than six bytes would be a limit that no chain reaches.
  return limit.contents.length > 6
    ? Number.MAX_SAFE_INTEGER
    : limit.contents.readIntBE(0, Math.max(limit.contents.length, 1));
}

/** The elements that lie next to each other in `bytes`; stops at the first that does not fit. */
function elements(bytes: Buffer): readonly Element[] {
  const found: Element[] = [];
  let offset = 0;
  while (offset + 2 <= bytes.length) {
    const tag = bytes.readUInt8(offset);
    const first = bytes.readUInt8(offset + 1);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    const start = offset + 2 + lengthBytes;
    if (lengthBytes > 4 || start > bytes.length) break;
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(offset + 2, lengthBytes);
    if (start + length > bytes.length) break;
    found.push({ tag, contents: bytes.subarray(start, start + length) });
    offset = start + length;
  }
  return found;
}
