import type { XdrReader } from './xdr.ts';
import { XdrError } from './xdr.ts';

/** libvirt allows 262144; a domain with 256 disks and as many vCPUs has 8000. */
const MOST_PARAMETERS = 65536;

/**
 * Values by libvirt's name, such as `block.0.rd.bytes`, in libvirt's units. 64-bit numbers are rounded to the nearest
 * double above 2^53. What libvirt left out is not there.
 */
export type TypedParameters = ReadonlyMap<string, number | string | boolean>;

/** A list of virTypedParameter. */
export function readTypedParameters(reader: XdrReader): TypedParameters {
  const count = reader.length(MOST_PARAMETERS);
  const parameters = new Map<string, number | string | boolean>();
  for (let i = 0; i < count; i++) parameters.set(reader.string(), readValue(reader));
  return parameters;
}

function readValue(reader: XdrReader): number | string | boolean {
  const type = reader.int();
  switch (type) {
    case 1:
      return reader.int();
    case 2:
      return reader.uint();
    case 3:
      return reader.hyper();
    case 4:
      return reader.uhyper();
    case 5:
      return reader.double();
    case 6:
      return reader.bool();
    case 7:
      return reader.string();
    default:
      throw new XdrError(`a parameter of unknown type ${type}`);
  }
}
