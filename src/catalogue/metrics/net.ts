import { gauge, percent, rate, text } from '../metric.ts';
import type { CounterFacts, Declaration, MetricTable } from '../metric.ts';

const rxDrops = [
  'The guest does not take its packets in time: its vCPUs are busy or wait for a CPU (%RDY), or its queues are short.',
  'A burst is more than the queue of the interface holds: more queues (multiqueue) help.',
  'Of a NIC of the host: its ring is too small, or its interrupts are handled by one busy CPU.',
];

const txDrops = ['A firewall, a rate limit or a full queue on the host throws packets away.'];

const speed = gauge('net_speed', {
  title: 'SPEED',
  unit: 'megabit per second',
  source: '/sys/class/net/<dev>/speed',
  formula: 'host: sum over the NICs in the sum; omitted when the link is down',
  meaning: 'Link speed, per direction. Virtual functions and representors are not added to their port.',
  original: { id: 'net_speed' },
  needs: 'a physical NIC whose link is up',
});

const ofTap = "rate*8/10^6; VM's point of view: rx = what the host transmits on the tap";

/** Network, of VMs from the point of view of the VM. */
export const net = {
  vm: [
    ...traffic('vm', ofTap),
    text('net_interfaces', {
      title: 'INTERFACES',
      shown: 'verbose',
      source: 'connector',
      meaning: 'names, joined with ;',
      original: { id: 'net_interfaces' },
    }),
  ],
  vm_nic: [
    ...traffic('vm', ofTap),
    percent('net_limit_used', {
      title: '%LIMIT',
      source: 'derived',
      formula:
        'the larger of net_rx_mbit and net_tx_mbit, each by its limit; a burst beyond it counts as 100',
      meaning: 'Use of the rate limit of the NIC. At 100 % packets wait or are dropped because of it.',
      needs: 'a NIC with a limit',
      prometheus: 'gauge',
      levels: '90',
      causes: ['The guest exceeds the limit of its NIC (rate): raise it if the network can give more.'],
    }),
    gauge('net_mbit_limit', {
      title: 'MbMAX/s',
      unit: 'megabit per second',
      source: 'Proxmox config rate= / libvirt XML bandwidth average',
      formula: '*2^20*8/10^6; libvirt *1000*8/10^6',
      meaning:
        'Rate limit of the NIC, per direction; the smaller one if libvirt limits them differently (inbound, outbound).',
      needs: 'a NIC with a limit',
      prometheus: { name: 'net_limit' },
    }),
  ],
  host: [...traffic('host', 'rate*8/10^6; sum over physical NICs, or over --netdev'), speed],
  host_nic: [...traffic('host', 'rate*8/10^6; one interface'), speed],
} satisfies MetricTable;

/**
 * The traffic of a NIC, or the sum over those of a VM or of the host.
 *
 * @param formula of the first metric, which says for all what the numbers are of
 */
function traffic(of: 'vm' | 'host', formula: string) {
  const host = of === 'host';
  const source = host ? '/proc/net/dev' : '/proc/net/dev line of the tap';
  /** A rate of the counter of a column; the original program told those of the host by name. */
  const column = <Id extends string>(
    id: Id,
    facts: { title: string; meaning: string; counter: CounterFacts; original: string },
  ): Declaration<Id> => {
    const original = { id: host ? `net_host_${facts.original}` : `net_${facts.original}` };
    return rate(id, { ...facts, unit: 'per second', shown: 'verbose', source, formula: 'rate', original });
  };
  return [
    rate('net_rx_mbit', {
      title: 'MbRX/s',
      unit: 'megabit per second',
      source,
      formula,
      meaning: 'Traffic received.',
      original: host
        ? { id: 'net_MbRX/s' }
        : { id: 'net_MbRX/s', differs: 'original: tap view, rx and tx swapped' },
      counter: { none: 'net_rx_bytes has it' },
    }),
    rate('net_tx_mbit', {
      title: 'MbTX/s',
      unit: 'megabit per second',
      source,
      formula: 'rate*8/10^6',
      meaning: 'Traffic sent.',
      original: { id: 'net_MbTX/s' },
      counter: { none: 'net_tx_bytes has it' },
    }),
    rate('net_rx_packets', {
      title: 'PKTRX/s',
      unit: 'per second',
      source,
      formula: 'rate',
      meaning: 'Packets received.',
      original: { id: 'net_PKTRX/s' },
      counter: { unit: 'one', counted: 'parts', help: 'Packets received' },
    }),
    rate('net_tx_packets', {
      title: 'PKTTX/s',
      unit: 'per second',
      source,
      formula: 'rate',
      meaning: 'Packets sent.',
      original: { id: 'net_PKTTX/s' },
      counter: { unit: 'one', counted: 'parts', help: 'Packets sent' },
    }),
    percent('net_rx_drop_percent', {
      title: '%DRPRX',
      source,
      formula: 'delta(dropped)/delta(dropped+packets)*100; omitted without packets',
      meaning: 'Share of incoming packets that were dropped.',
      ...(host ? { shown: 'verbose' } : { original: { id: 'net_%DRPRX' } }),
      levels: '1',
      causes: rxDrops,
      operations: ['net_rx_packets', 'net_rx_dropped'],
    }),
    percent('net_tx_drop_percent', {
      title: '%DRPTX',
      source,
      formula: 'as above',
      meaning: 'Share of outgoing packets that were dropped.',
      ...(host ? { shown: 'verbose' } : { original: { id: 'net_%DRPTX' } }),
      levels: '1',
      causes: txDrops,
      operations: ['net_tx_packets', 'net_tx_dropped'],
    }),
    rate('net_rx_bytes', {
      title: 'RXB/s',
      unit: 'bytes per second',
      shown: 'verbose',
      source,
      formula: 'rate',
      meaning: 'Traffic received, in bytes.',
      counter: { unit: 'bytes', counted: 'parts', help: 'Bytes received' },
    }),
    rate('net_tx_bytes', {
      title: 'TXB/s',
      unit: 'bytes per second',
      shown: 'verbose',
      source,
      formula: 'rate',
      meaning: 'Traffic sent, in bytes.',
      counter: { unit: 'bytes', counted: 'parts', help: 'Bytes sent' },
    }),
    column('net_rx_errors', {
      title: 'ERRSRX',
      meaning: 'Receive errors: incoming packets that were broken.',
      original: 'errsRX',
      counter: { unit: 'one', shown: 'verbose', counted: 'parts', help: 'Errors of receiving' },
    }),
    rate('net_rx_dropped', {
      title: 'DROPRX',
      unit: 'per second',
      shown: 'verbose',
      source,
      formula: 'rate',
      meaning: 'Incoming packets that were dropped.',
      original: host ? { id: 'net_host_dropRX' } : undefined,
      counter: { unit: 'one', counted: 'parts', help: 'Packets to receive that were dropped' },
      causes: rxDrops,
    }),
    {
      ...column('net_rx_fifo', {
        title: 'FIFORX',
        meaning: 'Incoming packets lost to an overrun of the device buffer.',
        original: 'fifoRX',
        counter: { unit: 'one', shown: 'verbose', counted: 'parts', help: 'Overruns of the receive buffer' },
      }),
      causes: rxDrops,
    },
    column('net_rx_frame', {
      title: 'FRAMERX',
      meaning: 'Incoming packets with a framing error.',
      original: 'frameRX',
      counter: { unit: 'one', shown: 'verbose', counted: 'parts', help: 'Framing errors' },
    }),
    column('net_rx_compressed', {
      title: 'COMPRX',
      meaning: 'Compressed packets received.',
      original: 'compRX',
      counter: { unit: 'one', shown: 'verbose', counted: 'parts', help: 'Compressed packets received' },
    }),
    column('net_rx_multicast', {
      title: 'MCASTRX',
      meaning: 'Multicast packets received.',
      original: 'mcastRX',
      counter: { unit: 'one', shown: 'verbose', counted: 'parts', help: 'Multicast packets received' },
    }),
    column('net_tx_errors', {
      title: 'ERRSTX',
      meaning: 'Send errors: outgoing packets that could not be sent.',
      original: 'errsTX',
      counter: { unit: 'one', shown: 'verbose', counted: 'parts', help: 'Errors of sending' },
    }),
    rate('net_tx_dropped', {
      title: 'DROPTX',
      unit: 'per second',
      shown: 'verbose',
      source,
      formula: 'rate',
      meaning: 'Outgoing packets that were dropped.',
      original: host ? { id: 'net_host_dropTX' } : undefined,
      counter: { unit: 'one', counted: 'parts', help: 'Packets to send that were dropped' },
      causes: txDrops,
    }),
    {
      ...column('net_tx_fifo', {
        title: 'FIFOTX',
        meaning: 'Outgoing packets lost to an overrun of the device buffer.',
        original: 'fifoTX',
        counter: { unit: 'one', shown: 'verbose', counted: 'parts', help: 'Overruns of the send buffer' },
      }),
      causes: txDrops,
    },
    column('net_tx_collisions', {
      title: 'COLLSTX',
      meaning: 'Collisions on the wire while sending.',
      original: 'collsTX',
      counter: { unit: 'one', shown: 'verbose', counted: 'parts', help: 'Collisions' },
    }),
    column('net_tx_carrier', {
      title: 'CARRIERTX',
      meaning: 'Losses of carrier while sending.',
      original: 'carrierTX',
      counter: { unit: 'one', shown: 'verbose', counted: 'parts', help: 'Losses of carrier' },
    }),
    column('net_tx_compressed', {
      title: 'COMPTX',
      meaning: 'Compressed packets sent.',
      original: 'compTX',
      counter: { unit: 'one', shown: 'verbose', counted: 'parts', help: 'Compressed packets sent' },
    }),
  ];
}
