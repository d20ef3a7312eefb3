import { LARGEST_XML, readDevices } from '../../src/guests/libvirt/libvirt-xml.ts';
import { monitorAnswered, readDetail, readNics } from '../../src/guests/libvirt/libvirt-stats.ts';
import { GuestDisks } from '../../src/guests/qemu/guest-disks.ts';
import { balloonReading } from '../../src/guests/qemu/guest-report.ts';
import { parseAddress } from '../../src/config/address.ts';
import { headers, parseHttpUrl } from '../../src/config/http.ts';
import { ConnectionError } from '../../src/libvirt/error.ts';
import { readEvent } from '../../src/libvirt/events.ts';
import { MessageDecoder, messageType, status } from '../../src/libvirt/messages.ts';
import type { Header } from '../../src/libvirt/messages.ts';
import * as remote from '../../src/libvirt/protocol.ts';
import { parseUri } from '../../src/libvirt/uri.ts';
import type { XdrReader } from '../../src/libvirt/xdr.ts';
import { XdrError } from '../../src/libvirt/xdr.ts';
import { judgeAnswer, retryAfterMs } from '../../src/delivery/http/http-answer.ts';
import { otlpAnswers } from '../../src/delivery/http/otlp-answer.ts';
import { acceptsGzip, pageFormat } from '../../src/delivery/prometheus/negotiation.ts';
import { queryBlock } from '../../src/qmp/block.ts';
import { queryBlockstats } from '../../src/qmp/blockstats.ts';
import { isTooComplex } from '../../src/qmp/complexity.ts';
import { Lines } from '../../src/qmp/lines.ts';
import { queryMemoryDevices, queryMemorySize } from '../../src/qmp/memory.ts';
import { list, record } from '../../src/base/untyped/values.ts';
import { queryBalloon, queryCpus, queryGuestStats, queryStatus } from '../../src/qmp/replies.ts';
import { capture, captures } from '../libvirt/captures.ts';
import type { Target } from './harness.ts';

const disk = {
  device: 'drive-scsi0',
  qdev: '/machine/peripheral/scsi0/virtio-backend',
  'node-name': '#block100',
  stats: {
    rd_operations: 7,
    wr_operations: 8,
    rd_bytes: 4096,
    rd_total_time_ns: 12345,
    failed_rd_operations: 0,
  },
  parent: { stats: { rd_operations: 7 }, 'node-name': 'f', 'driver-specific': { driver: 'file' } },
  removable: false,
  inserted: {
    'node-name': '#block100',
    image: { filename: 'json:{"file":{"filename":"/a"}}', 'virtual-size': 67108864, 'actual-size': 4096 },
  },
};
const replies = [
  { QMP: { version: { qemu: { micro: 2, minor: 2, major: 7 } }, capabilities: ['oob'] } },
  { return: [disk, { ...disk, device: '', qdev: 'ide2' }], id: '1:1:1' },
  { return: { status: 'running', running: true, singlestep: false }, id: '1:1:2' },
  { return: { actual: 1073741824, max_mem: 2147483648, free_mem: 5, last_update: 1700000000 }, id: '1:1:3' },
  { return: { stats: { 'stat-free-memory': 18446744073709551615 }, 'last-update': 1700000000 } },
  { return: { 'base-memory': 1073741824, 'plugged-memory': 0 } },
  { return: [{ type: 'dimm', data: { size: 134217728, id: 'd0' } }] },
  { return: [{ 'cpu-index': 0, 'thread-id': 77, target: 'x86_64' }] },
  { error: { class: 'DeviceNotActive', desc: 'No balloon device has been activated' }, id: '1:1:3' },
  { event: 'RESET', data: {}, timestamp: { seconds: 1, microseconds: 2 } },
].map((reply) => `${JSON.stringify(reply)}\r\n`);

/** Reads lines as a visit does, up to the first that is no message, each with every query. */
function readReplies(input: Buffer): void {
  const lines = new Lines();
  let messages = 0;
  for (let at = 0; at < input.length; at += 4096) {
    lines.feed(input.subarray(at, at + 4096));
    for (let line = lines.next(); line !== undefined; line = lines.next())
      if (++messages > 1000 || !readReply(line)) return;
  }
}

function readReply(line: string): boolean {
  if (isTooComplex(line)) return false;
  let reply: unknown;
  try {
    reply = record(JSON.parse(line))['return'];
  } catch {
    return false;
  }
  queryStatus.read(reply);
  queryCpus.read(reply);
  const { lastUpdate, ...told } = { ...queryGuestStats.read(reply), ...queryBalloon.read(reply) };
  balloonReading(told, lastUpdate, undefined, 1_700_000_000);
  queryMemorySize.read(reply);
  queryMemoryDevices.read(reply);
  if (list(reply).length > (queryBlockstats.most ?? 0)) return false;
  const [device = {}] = queryBlock.read(reply);
  const blocks = { of: () => device, typeOf: () => undefined, generation: 0 };
  new GuestDisks([], blocks, () => undefined).readings(queryBlockstats.read(reply));
  return true;
}

const procedures = new Map(
  Object.values(remote)
    .filter((each) => typeof each === 'object' && 'number' in each && 'read' in each)
    .map((each) => {
      const { number, read } = each as {
        readonly number: number;
        readonly read: (reader: XdrReader) => unknown;
      };
      return [number, read] as const;
    }),
);

/** Reads messages as a connection does, and uses what they say. */
function readMessages(input: Buffer): void {
  const decoder = new MessageDecoder((header, payload) => {
    readMessage(header, payload);
  });
  for (let at = 0; at < input.length; at += 1000) decoder.push(input.subarray(at, at + 1000));
}

function readMessage({ type, procedure, status: how }: Header, payload: XdrReader): void {
  if (type === messageType.message) readEvent(procedure, payload);
  else if (how === status.error) remote.readError(payload);
  else {
    const reply = procedures.get(procedure)?.(payload);
    if (procedure === remote.getAllDomainStats.number)
      for (const { parameters } of reply as remote.DomainStats[]) {
        monitorAnswered(parameters);
        readDetail(parameters, 1, { ...readDevices(''), removable: new Set(['hda']) });
        readNics(parameters);
      }
  }
}

const { xml } = capture('DOMAIN_GET_XML_DESC (14) lv7').decoded as { readonly xml: string };

export const wireTargets: readonly Target[] = [
  {
    name: 'replies of QMP',
    seeds: replies,
    words: [
      '{"return": [',
      ']}',
      '{"QMP":',
      '{"stats":{',
      '"device":',
      '"node-name":',
      '"a":1,',
      '\r\n',
      '[',
      '{',
      '},',
      '1,',
      '"id":',
      '"qdev":"/machine/peripheral/',
    ],
    largest: 256 * 1024,
    parse: readReplies,
  },
  {
    name: 'messages of libvirt',
    seeds: captures.map(({ reply }) => reply).filter(({ length }) => length < 20_000),
    words: [
      '\x20\x00\x80\x86',
      '\0\0\0\x01',
      '\0\0\0\x07',
      '\0\0\0\x05a.b.c\0\0\0',
      '\0\0\x01\x58',
      'block.count\0',
      'block.0.name',
    ],
    largest: 128 * 1024,
    parse: readMessages,
    refuses: (error) => error instanceof XdrError,
  },
  {
    name: 'XML of libvirt',
    seeds: [
      xml,
      `<domain><devices><disk type='file' device='cdrom'><target dev='hda' bus='ide'/></disk>
<interface type='direct'><source dev='eno1'/><target dev='macvtap0'/></interface></devices></domain>`,
    ],
    words: [
      '<devices>',
      '<disk ',
      '</disk>',
      '<interface ',
      '</interface>',
      "device='cdrom'",
      "<target dev='",
      "'/>",
      '>',
      '<',
      "<disk device='cdrom'> ",
    ],
    largest: LARGEST_XML,
    parse: (input) => readDevices(input.toString()),
  },
  {
    name: 'libvirt URI',
    seeds: [
      'qemu:///system',
      'qemu+ssh://root@kvm2:22/system?keyfile=/a&no_verify=1',
      'qemu+tls://[::1]/session?pkipath=/x',
    ],
    words: ['qemu', '+ssh', '://', '@', ':', '[', ']', '/system', '?', '&', '%', '%zz', 'socket=', 'mode='],
    parse: (input) => parseUri(input.toString()),
    refuses: (error) => error instanceof ConnectionError,
  },
  {
    name: 'addresses and URLs',
    seeds: [
      'logstash.example:12345',
      '[2001:db8::1]:12345',
      'http://influx.example:8086/write?db=proxtop',
      'https://u:p@h/?q#f',
    ],
    words: ['http://', 'https://', ':', '[', ']', '::', '@', '/', '?', '#', '%', 'xn--', '.'],
    parse: (input) => {
      const text = input.toString();
      parseAddress(text);
      parseHttpUrl(text);
    },
  },
  {
    name: 'headers',
    seeds: [
      'X-Scope: a, Authorization: Bearer x',
      'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.4,*/*;q=0.1',
      'deflate, gzip;q=0.5',
      '120',
      'Wed, 21 Oct 2026 07:28:00 GMT',
    ],
    words: [
      ': ',
      ', ',
      ',',
      ';',
      'q=',
      '=',
      '*/*',
      'gzip',
      'a:',
      '\t',
      ', a',
      'version=1.0.0',
      'application/openmetrics-text',
    ],
    // What Node's server takes of all headers together.
    largest: 16 * 1024,
    parse: (input) => {
      const text = input.toString();
      headers.parse(text);
      pageFormat(text);
      acceptsGzip(text);
      judgeAnswer(Number(text), '', 1);
      judgeAnswer(404, text.slice(0, 300), 2);
      judgeAnswer(400, text.slice(0, 300), 2);
      retryAfterMs(text, 0);
      const body = input.subarray(0, 300);
      for (const status of [200, 400]) {
        const answer = { status, retryAfter: undefined, contentType: 'application/x-protobuf', body };
        otlpAnswers.judge(answer, 2);
        otlpAnswers.words(answer);
      }
    },
  },
];
