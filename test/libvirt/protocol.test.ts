import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LibvirtError } from '../../src/libvirt/error.ts';
import { readEvent } from '../../src/libvirt/events.ts';
import { encodeMessage, MessageDecoder } from '../../src/libvirt/messages.ts';
import type { Domain, Procedure } from '../../src/libvirt/protocol.ts';
import * as remote from '../../src/libvirt/protocol.ts';
import { readTypedParameters } from '../../src/libvirt/typed-parameters.ts';
import { XdrReader, XdrWriter } from '../../src/libvirt/xdr.ts';
import { capture, captures } from './captures.ts';
import type { Capture } from './captures.ts';

interface DecodedDomain {
  readonly name: string;
  readonly uuid: string;
  readonly id: number;
}

interface DecodedStats {
  readonly dom: DecodedDomain;
  readonly params: readonly (readonly [name: string, type: number, value: number | string | boolean])[];
}

/** Reads the payload of a captured reply; `read` must leave nothing of it. */
function read<T>({ reply }: Capture, using: (reader: XdrReader) => T): T {
  const results: T[] = [];
  new MessageDecoder((_, reader) => {
    results.push(using(reader));
    assert.equal(reader.left, 0);
  }).push(reply);
  assert.equal(results.length, 1);
  return results[0]!;
}

/** Checks that calling the procedure would send what was captured. */
function assertRequest<A extends readonly unknown[], R>(
  { request }: Capture,
  procedure: Procedure<A, R>,
  args: A,
): void {
  assert.ok(request);
  const serial = request.readUInt32BE(20);
  const header = { program: 0x20008086, procedure: procedure.number, type: 0, serial, status: 0 };
  assert.deepEqual(
    encodeMessage(header, (writer) => {
      procedure.write(writer, ...args);
    }),
    request,
  );
}

function domainOf({ name, uuid, id }: DecodedDomain): Domain {
  return { name, uuid: uuid.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5'), id };
}

test('session calls', () => {
  const list = capture('AUTH_LIST (66), root');
  assertRequest(list, remote.authList, []);
  assert.deepEqual(read(list, remote.authList.read), [0]);
  const open = capture('CONNECT_OPEN (1)');
  assertRequest(open, remote.connectOpen, ['qemu:///system', 0]);
  read(open, remote.connectOpen.read);
  const feature = capture('SUPPORTS_FEATURE (60) feature=14');
  assertRequest(feature, remote.supportsFeature, [14]);
  assert.equal(read(feature, remote.supportsFeature.read), true);
});

test('the name of the host', () => {
  assert.equal(read(capture('GET_HOSTNAME'), remote.getHostname.read), 'vm');
});

test('the list of domains, one with a name beyond ASCII', () => {
  const list = capture('LIST_ALL_DOMAINS (273) need_results=1');
  assertRequest(list, remote.listAllDomains, [1]);
  const domains = read(list, (reader) => {
    const result = remote.listAllDomains.read(reader);
    assert.equal(reader.uint(), result.length); // The count comes once more.
    return result;
  });
  assert.deepEqual(domains, (list.decoded as { domains: DecodedDomain[] }).domains.map(domainOf));
  assert.ok(domains.some(({ name }) => name === 'naïve-虚拟 6'));
});

test('statistics: every parameter of every captured reply', () => {
  const full = captures.filter(
    ({ name, decoded }) =>
      /^GET_ALL_DOMAIN_STATS.*(STATE|BLOCK|doms=\[lv0)/.test(name) && Array.isArray(decoded),
  );
  assert.equal(full.length, 3);
  for (const item of full) {
    const stats = read(item, remote.getAllDomainStats.read);
    const decoded = item.decoded as DecodedStats[];
    assert.deepEqual(
      stats.map(({ domain }) => domain),
      decoded.map(({ dom }) => domainOf(dom)),
    );
    assert.deepEqual(
      stats.map(({ parameters }) => [...parameters]),
      decoded.map(({ params }) => params.map(([name, , value]) => [name, value])),
    );
  }
});

test('statistics: what is asked', () => {
  assertRequest(capture('GET_ALL_DOMAIN_STATS (344) stats=1'), remote.getAllDomainStats, [[], 1, 1]);
  const some = capture('GET_ALL_DOMAIN_STATS (344) stats=0 (all) doms');
  const domains = (some.decoded as DecodedStats[]).map(({ dom }) => domainOf(dom));
  // A set of names and ids asked for in the order of the request, which the reply need not have.
  const request = new XdrReader(some.request!.subarray(28));
  const asked = request.array(10, remote.readDomain);
  assert.deepEqual(new Set(asked.map(({ uuid }) => uuid)), new Set(domains.map(({ uuid }) => uuid)));
  assertRequest(some, remote.getAllDomainStats, [asked, 0, 0]);
  assert.deepEqual(
    read(capture('GET_ALL_DOMAIN_STATS (344) doms=[unknown'), remote.getAllDomainStats.read),
    [],
  );
});

test('statistics: an answer that stays the same is the same object, another one is read anew', () => {
  const procedure = remote.remembering(remote.getAllDomainStats);
  const payload = capture('GET_ALL_DOMAIN_STATS (344) stats=1').reply.subarray(28);
  const first = procedure.read(new XdrReader(Buffer.from(payload)));
  assert.equal(procedure.read(new XdrReader(Buffer.from(payload))), first);
  // The last four bytes are the value of the last parameter.
  const changed = Buffer.from(payload);
  changed.writeInt32BE(payload.readInt32BE(payload.length - 4) + 1, payload.length - 4);
  const second = procedure.read(new XdrReader(changed));
  assert.notEqual(second, first);
  assert.deepEqual(second, remote.getAllDomainStats.read(new XdrReader(changed)));
  assert.notDeepEqual(second, first);
  assert.deepEqual(procedure.read(new XdrReader(Buffer.from(payload))), first);
});

test('typed parameters of the rarer types: double, boolean', () => {
  const { reply } = capture('SYNTHETIC');
  const one = Buffer.concat([new XdrWriter().uint(1).bytes(), reply]);
  assert.deepEqual([...readTypedParameters(new XdrReader(one))], [['synthetic.double', 1.5]]);
  const perf = capture('DOMAIN_GET_PERF_EVENTS');
  const { params } = perf.decoded as { params: DecodedStats['params'] };
  assert.deepEqual(
    [...read(perf, readTypedParameters)],
    params.map(([name, , value]) => [name, value]),
  );
});

test('calls about one domain', () => {
  const xml = capture('DOMAIN_GET_XML_DESC (14) lv7');
  const lv7 = { name: 'lv7', uuid: '11111111-2222-3333-4444-000000000007', id: 8 };
  assertRequest(xml, remote.getXmlDesc, [lv7, 0]);
  assert.equal(read(xml, remote.getXmlDesc.read), (xml.decoded as { xml: string }).xml);
});

test('every captured error', () => {
  const errors = captures.filter(({ decoded }) => Object.hasOwn(decoded as object, 'error'));
  assert.equal(errors.length, 11);
  for (const item of errors) {
    const { error } = item.decoded as {
      error: { code: number; domain: number; message: string; level: number };
    };
    new MessageDecoder((header, reader) => {
      assert.equal(header.status, 1);
      const found = remote.readError(reader);
      assert.ok(found instanceof LibvirtError);
      const { code, domain, message, level } = found;
      assert.deepEqual(
        { code, domain, message, level },
        { code: error.code, domain: error.domain, message: error.message, level: error.level },
      );
    }).push(item.reply);
  }
});

test('lifecycle events, and what is registered for them', () => {
  assertRequest(capture('DOMAIN_EVENT_CALLBACK_REGISTER_ANY'), remote.registerEvent, [0]);
  const events = captures.filter(({ name }) => name.startsWith('event '));
  const seen = events.map((item) => read(item, (reader) => readEvent(318, reader)));
  assert.deepEqual(
    seen.map((event) => event?.kind === 'lifecycle' && [event.change, event.detail, event.domain.id]),
    [
      ['suspended', 0, 11],
      ['resumed', 0, 11],
      ['shutdown', 2, 11],
      ['stopped', 1, -1],
      ['resumed', 0, 12],
      ['started', 0, 12],
    ],
  );
  assert.equal(readEvent(319, new XdrReader(Buffer.alloc(0))), undefined);
});

test('the event of a balloon', () => {
  // Made by hand after remote_protocol.x: without a driver in the guest no balloon changes.
  const domain = { name: 'one', uuid: '11111111-2222-3333-4444-000000000001', id: 3 };
  const message = new XdrWriter()
    .int(7)
    .string(domain.name)
    .uuid(domain.uuid)
    .int(domain.id)
    .uint(0)
    .uint(1024);
  assert.deepEqual(readEvent(331, new XdrReader(message.bytes())), { kind: 'balloon', domain });
});
