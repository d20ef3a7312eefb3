import { printerNames } from '../../formats/index.ts';
import { listenAddress } from '../address.ts';
import { headers } from '../http.ts';
import { outputTypes } from './option.ts';
import type { Option } from './option.ts';
import { bytes, choice, decimal, integer, listed, share, plainText, truth } from '../values.ts';

const where = 'Where to send it';
/** Outputs that send what they print. */
const printed = ['stdout', 'file', 'tcp', 'udp', 'http'] as const;
/** Where the page for Prometheus is unless configured: this host alone can reach it. */
const endpoint = '127.0.0.1:9788';

/** Keys of [output.NAME] besides those of `printing` and `selecting`. */
export const output = {
  type: {
    type: choice(outputTypes),
    otherwise: 'stdout; with a target http for a URL, else tcp; with listen prometheus',
    help: `destination: ${listed(outputTypes)}`,
    flag: { group: where, name: 'output', alias: 'o', placeholder: 'TYPE' },
  },
  target: {
    type: plainText('a path for a file, host:port for tcp and udp, a URL for http'),
    help: 'host:port or [IPv6]:port for tcp and udp, a path for file, a URL for http',
    flag: { group: where, placeholder: 'TARGET' },
    outputs: ['file', 'tcp', 'udp', 'http'],
  },
  listen: {
    type: listenAddress,
    default: endpoint,
    help: 'listen address of the Prometheus page, host:port; works beside other outputs',
    flag: { group: where, name: 'prometheus', placeholder: 'ADDR', bare: endpoint },
    outputs: ['prometheus'],
  },
  printer: {
    type: choice(printerNames),
    otherwise: 'text on stdout, json elsewhere',
    help: `format: ${listed(printerNames)}`,
    flag: { group: where, alias: 'p', placeholder: 'FORMAT' },
    outputs: printed,
    switches: [
      {
        name: 'batch',
        alias: 'b',
        value: 'esxtop',
        group: where,
        help: "esxtop's wide CSV, a line for each sample: --printer=esxtop",
      },
    ],
  },
  layout: {
    type: choice(['cycle', 'event']),
    otherwise: 'cycle; influx over http event; udp always event',
    help: 'json records: cycle, one per sample, or event, one per row',
    flag: { group: where, placeholder: 'LAYOUT' },
    outputs: printed,
  },
  interval: {
    type: decimal(0.1, 86400, 'seconds'),
    otherwise: '10 with printers otlp and remote-write; else each sample is a record',
    help: 'seconds per record, with means and the last levels; a multiple of the frequency',
    flag: { group: 'How often', placeholder: 'SECONDS' },
    outputs: printed,
  },
  maxima: {
    type: truth,
    default: 'false',
    help: 'with interval: also the largest sample of percentages and latencies, as ID_peak',
    flag: { group: 'How often' },
    outputs: printed,
  },
  queue_bytes: {
    type: bytes('64K', '16G'),
    default: '64M',
    help: 'maximum size of the queue in memory while the destination does not accept records',
    outputs: ['file', 'tcp', 'http'],
  },
  when_full: {
    type: choice(['drop_oldest', 'drop_newest']),
    default: 'drop_oldest',
    help: 'records to drop when the queue is full: drop_oldest or drop_newest',
    outputs: ['file', 'tcp', 'http'],
  },
  timeout: {
    type: decimal(1, 3600, 'seconds'),
    default: '30',
    help: 'seconds without progress, or for http without a response, after which to reconnect; for prometheus, after which to disconnect a slow scraper',
    outputs: ['tcp', 'http', 'prometheus'],
  },
  spool: {
    type: truth,
    default: 'false',
    help: 'keep records that the destination does not accept on disk, and deliver them later, even after a restart',
    outputs: ['tcp', 'http'],
  },
  spool_max: {
    type: bytes('16M', '1024G'),
    default: '1G',
    help: 'maximum size of the spool; when_full selects the records to drop when it is full',
    outputs: ['tcp', 'http'],
  },
  spool_sync: {
    type: decimal(0.1, 60, 'seconds'),
    default: '0.5',
    help: 'seconds until waiting records are on disk: the most that a crash or power failure can lose',
    outputs: ['tcp', 'http'],
  },
  order: {
    type: choice(['interleaved', 'strict']),
    otherwise: 'strict for remote-write, else interleaved',
    help: 'strict: spooled records go before new samples; interleaved: they share the connection',
    outputs: ['tcp', 'http'],
  },
  catchup: {
    type: share,
    default: '0.5',
    help: 'share of the connection for spooled records while new samples wait, with order = interleaved',
    outputs: ['tcp', 'http'],
  },
  tls: {
    type: truth,
    default: 'false',
    help: 'encrypt the connection; https always does',
    outputs: ['tcp'],
  },
  tls_ca: {
    type: plainText('a path'),
    otherwise: 'the authorities that Node.js knows',
    help: 'file with trusted CA certificates, PEM',
    outputs: ['tcp', 'http'],
  },
  tls_cert: {
    type: plainText('a path'),
    help: 'file with the certificate of proxtop, PEM',
    outputs: ['tcp', 'http', 'prometheus'],
  },
  tls_key: {
    type: plainText('a path'),
    help: 'file with the key of that certificate, PEM',
    outputs: ['tcp', 'http', 'prometheus'],
  },
  tls_servername: {
    type: plainText('a name'),
    otherwise: 'the host of the target',
    help: "host name expected in the peer's certificate",
    outputs: ['tcp', 'http'],
  },
  token: {
    type: plainText('a token'),
    help: 'tcp: first line of each connection; http: token to send with each request; prometheus: token that scrapers must send',
    outputs: ['tcp', 'http', 'prometheus'],
  },
  token_file: {
    type: plainText('a path'),
    otherwise: 'the credential of systemd under the name of the output, if there is one',
    help: 'file with the token or, with a username, the password; read again each time',
    outputs: ['tcp', 'http', 'prometheus'],
  },
  rotate_size: {
    type: bytes('4K', '1024G'),
    otherwise: 'never',
    help: 'size at which the file is rotated to TARGET.1 and compressed',
    outputs: ['file'],
  },
  rotate_keep: {
    type: integer(1, 1000),
    default: '5',
    help: 'number of rotated files to keep',
    outputs: ['file'],
  },
  max_datagram: {
    type: integer(64, 65507),
    default: '65507',
    help: 'maximum bytes per line; above 1472 a datagram is fragmented on Ethernet',
    outputs: ['udp'],
  },
  precision: {
    type: choice(['ns', 'ms', 's']),
    otherwise: 'ns',
    outputs: printed,
    help: 'unit of the timestamps (influx printer only); the URL of InfluxDB is adapted',
  },
  batch_records: {
    type: integer(1, 1_000_000),
    default: '5000',
    help: 'maximum records per request',
    outputs: ['http'],
  },
  batch_bytes: {
    type: bytes('1K', '64M'),
    default: '1M',
    help: 'maximum size of a request before gzip; a larger record is sent alone',
    outputs: ['http'],
  },
  batch_age: {
    type: decimal(0, 3600, 'seconds'),
    default: '0',
    help: 'seconds to wait for more records before sending a request that is not full',
    outputs: ['http'],
  },
  body: {
    type: choice(['lines', 'array']),
    default: 'lines',
    help: 'request body of json records: lines, or one JSON array',
    outputs: ['http'],
  },
  gzip: { type: truth, default: 'true', help: 'compress request bodies', outputs: ['http'] },
  headers: {
    type: headers,
    help: 'headers to add to each request, as Name: value, separated by commas',
    outputs: ['http'],
  },
  username: {
    type: plainText('a name'),
    help: 'user name for basic authentication',
    outputs: ['http', 'prometheus'],
  },
  password: { type: plainText('a password'), help: 'password of that user', outputs: ['http', 'prometheus'] },
} as const satisfies Readonly<Record<string, Option>>;
