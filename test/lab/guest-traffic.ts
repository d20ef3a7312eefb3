import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { tapCounters } from './bridge.ts';
import { until } from './processes.ts';
import { qmp } from './qmp.ts';
import type { LabNic, LabVm } from './vm.ts';

const HEADER = 14;
/** EtherType for local experiments (IEEE 802): the host takes such frames and drops them. */
const ETHER_TYPE = 0x88b5;

/**
 * Makes QEMU write frames to a tap as if the guest had sent them: a filter of QEMU injects them between NIC and tap.
 * Works with a paused guest too. Resolves when all have crossed the tap.
 * @param bytes length of a frame, Ethernet header included
 */
export async function sendFromGuest(vm: LabVm, nic: LabNic, frames: number, bytes: number): Promise<void> {
  if (bytes < HEADER || bytes > 1514) {
    throw new RangeError(`frame length: expected ${HEADER} to 1514 bytes, found ${bytes}`);
  }
  const path = `${vm.qmpSocket}.inject`;
  const address = { type: 'unix', data: { path } };
  const filter = {
    'qom-type': 'filter-redirector',
    id: 'inject',
    netdev: nic.device,
    queue: 'rx',
    indev: 'inject',
  };
  const before = tapCounters(nic.tap).rxPackets;
  await qmp(vm.qmpSocket, 'chardev-add', {
    id: 'inject',
    backend: { type: 'socket', data: { addr: address, server: true, wait: false } },
  });
  try {
    await qmp(vm.qmpSocket, 'object-add', filter);
    const socket = connect(path);
    await once(socket, 'connect');
    const record = framed(nic.mac, bytes);
    for (let frame = 0; frame < frames; frame++) await write(socket, record);
    await until(`${frames} frames cross ${nic.tap}`, () => tapCounters(nic.tap).rxPackets - before >= frames);
    socket.destroy();
    await qmp(vm.qmpSocket, 'object-del', { id: 'inject' });
  } finally {
    await qmp(vm.qmpSocket, 'chardev-remove', { id: 'inject' });
  }
}

/** A broadcast frame behind its length, as filter-redirector reads it. */
function framed(mac: string, bytes: number): Buffer {
  const record = Buffer.alloc(4 + bytes);
  record.writeUInt32BE(bytes, 0);
  record.fill(0xff, 4, 10);
  record.write(mac.replaceAll(':', ''), 10, 'hex');
  record.writeUInt16BE(ETHER_TYPE, 16);
  return record;
}

async function write(socket: Socket, bytes: Buffer): Promise<void> {
  if (!socket.write(bytes)) await once(socket, 'drain');
}
