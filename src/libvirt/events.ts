import type { Domain } from './protocol.ts';
import { readDomain } from './protocol.ts';
import type { XdrReader } from './xdr.ts';

/** What can happen to a domain, by libvirt's number (virDomainEventType). */
const changes = [
  'defined',
  'undefined',
  'started',
  'suspended',
  'resumed',
  'stopped',
  'shutdown',
  'pmsuspended',
  'crashed',
] as const;

/** A domain changed its state. Note: a new domain is `resumed` before it is `started`; `stopped` may carry id -1. */
interface LifecycleEvent {
  readonly kind: 'lifecycle';
  readonly domain: Domain;
  /** undefined for one that this version of the program does not know. */
  readonly change: (typeof changes)[number] | undefined;
  /** Why, in libvirt's numbers for that change. */
  readonly detail: number;
}

/** A device was plugged into or out of a running domain. */
interface DeviceEvent {
  readonly kind: 'device-added' | 'device-removed';
  readonly domain: Domain;
  /** Alias of the device in the domain's XML. */
  readonly alias: string;
}

/** A limit of a running domain was changed: of its CPUs or of a disk. Of those of NICs libvirt tells nothing. */
interface TunableEvent {
  readonly kind: 'tunable';
  readonly domain: Domain;
}

/** The guest's driver gave memory back or took some: the balloon has another size. */
interface BalloonEvent {
  readonly kind: 'balloon';
  readonly domain: Domain;
}

export type DomainEvent = LifecycleEvent | DeviceEvent | TunableEvent | BalloonEvent;

/** Kinds of event to subscribe to: lifecycle, balloon, device removed, tunable, device added (virDomainEventID). */
export const eventIds = [0, 13, 15, 17, 19] as const;

/** Sent when libvirt's proxy lost the daemon behind it. */
export const CONNECTION_CLOSED = 362;

/** Decodes an event by its procedure number; undefined for one that nobody subscribed to. */
export function readEvent(procedure: number, reader: XdrReader): DomainEvent | undefined {
  switch (procedure) {
    case 318: {
      reader.int(); // number of the callback
      const domain = readDomain(reader);
      return { kind: 'lifecycle', domain, change: changes[reader.int()], detail: reader.int() };
    }
    case 331:
      reader.int(); // number of the callback
      return { kind: 'balloon', domain: readDomain(reader) };
    case 333:
      return readDevice('device-removed', reader);
    case 346:
      reader.int(); // number of the callback
      return { kind: 'tunable', domain: readDomain(reader) };
    case 354:
      return readDevice('device-added', reader);
    default:
      return undefined;
  }
}

function readDevice(kind: DeviceEvent['kind'], reader: XdrReader): DeviceEvent {
  reader.int(); // number of the callback
  return { kind, domain: readDomain(reader), alias: reader.string() };
}
