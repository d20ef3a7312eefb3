import { LibvirtError } from './error.ts';
import type { TypedParameters } from './typed-parameters.ts';
import { readTypedParameters } from './typed-parameters.ts';
import type { XdrReader, XdrWriter } from './xdr.ts';
import { XdrError } from './xdr.ts';

// Numbers, layouts and limits are those of libvirt's remote_protocol.x. Checked against libvirt 9.0 and 11.3.

const MOST_DOMAINS = 16384;
const MOST_AUTH_TYPES = 20;

/** A domain as libvirt names it. The server looks it up by UUID alone. */
export interface Domain {
  readonly name: string;
  /** Lower case, with dashes. */
  readonly uuid: string;
  /** Counts the starts of domains since the daemon began; -1 while not active. */
  readonly id: number;
}

/** One domain's answer to the bulk statistics call. */
export interface DomainStats {
  readonly domain: Domain;
  readonly parameters: TypedParameters;
}

/** How to call one procedure of the remote program. */
export interface Procedure<A extends readonly unknown[], R> {
  /** As in remote_protocol.x, for messages. */
  readonly name: string;
  readonly number: number;
  readonly write: (writer: XdrWriter, ...args: A) => void;
  readonly read: (reader: XdrReader) => R;
}

/** Kinds of authentication a server can ask for. */
export const authType = { none: 0, sasl: 1, polkit: 2 } as const;

/** Features to ask a server for (virDrvFeature). */
export const feature = { closeCallback: 15 } as const;

const nothing = (): void => undefined;

export const authList: Procedure<[], number[]> = {
  name: 'AUTH_LIST',
  number: 66,
  write: nothing,
  read: (reader) => reader.array(MOST_AUTH_TYPES, () => reader.int()),
};

/** Authenticates by polkit; fails with an error where it refuses. */
export const authPolkit: Procedure<[], number> = {
  name: 'AUTH_POLKIT',
  number: 70,
  write: nothing,
  read: (reader) => reader.int(),
};

export const supportsFeature: Procedure<[feature: number], boolean> = {
  name: 'CONNECT_SUPPORTS_FEATURE',
  number: 60,
  write: (writer, number) => writer.int(number),
  read: (reader) => reader.bool(),
};

/** Flags: 1 for read-only. */
export const connectOpen: Procedure<[name: string, flags: number], void> = {
  name: 'CONNECT_OPEN',
  number: 1,
  write: (writer, name, flags) => writer.optional(name, (to, text) => to.string(text)).uint(flags),
  read: nothing,
};

/** Asks to be told when libvirt's proxy loses the daemon behind it. */
export const registerCloseCallback: Procedure<[], void> = {
  name: 'CONNECT_REGISTER_CLOSE_CALLBACK',
  number: 360,
  write: nothing,
  read: nothing,
};

export const getHostname: Procedure<[], string> = {
  name: 'CONNECT_GET_HOSTNAME',
  number: 59,
  write: nothing,
  read: (reader) => reader.string(),
};

export const listAllDomains: Procedure<[flags: number], Domain[]> = {
  name: 'CONNECT_LIST_ALL_DOMAINS',
  number: 273,
  write: (writer, flags) => writer.int(1).uint(flags),
  read: (reader) => reader.array(MOST_DOMAINS, readDomain),
};

/** An empty list of domains means all. */
export const getAllDomainStats: Procedure<
  [domains: readonly Domain[], groups: number, flags: number],
  DomainStats[]
> = {
  name: 'CONNECT_GET_ALL_DOMAIN_STATS',
  number: 344,
  write: (writer, domains, groups, flags) => writer.array(domains, writeDomain).uint(groups).uint(flags),
  read: (reader) =>
    reader.array(MOST_DOMAINS, () => ({
      domain: readDomain(reader),
      parameters: readTypedParameters(reader),
    })),
};

/** Gives the same object again, and decodes nothing, as long as the answer stays the same to the byte. */
export function remembering<A extends readonly unknown[], R>(procedure: Procedure<A, R>): Procedure<A, R> {
  let last: { readonly bytes: Buffer; readonly result: R } | undefined;
  return {
    ...procedure,
    read: (reader) => {
      const { rest } = reader;
      if (last?.bytes.equals(rest) !== true)
        last = { bytes: Buffer.from(rest), result: procedure.read(reader) };
      return last.result;
    },
  };
}

export const getXmlDesc: Procedure<[domain: Domain, flags: number], string> = {
  name: 'DOMAIN_GET_XML_DESC',
  number: 14,
  write: (writer, domain, flags) => {
    writeDomain(writer, domain);
    writer.uint(flags);
  },
  read: (reader) => reader.string(),
};

/** Subscribes to one kind of event of all domains; returns the number of the callback. */
export const registerEvent: Procedure<[event: number], number> = {
  name: 'CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY',
  number: 316,
  write: (writer, event) => writer.int(event).optional(undefined, writeDomain),
  read: (reader) => reader.int(),
};

export function readDomain(reader: XdrReader): Domain {
  return { name: reader.string(), uuid: reader.uuid(), id: reader.int() };
}

function writeDomain(writer: XdrWriter, { name, uuid, id }: Domain): void {
  writer.string(name).uuid(uuid).int(id);
}

/** The payload of a reply whose status says error; the rest of it only says the same in parts. */
export function readError(reader: XdrReader): LibvirtError {
  const code = reader.int();
  const domain = reader.int();
  const message = reader.optional(() => reader.string());
  const level = reader.int();
  if (code === 0) throw new XdrError('an error reply without an error');
  return new LibvirtError(code, domain, message ?? `libvirt error ${code}`, level);
}
