// What becomes of the records of a spool that was damaged while nobody ran: those that can be read are delivered, the
// others are counted.
import assert from 'node:assert/strict';
import {
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { LinePeer } from './delivery-peers.ts';
import { delivered, Rig } from './delivery-rig.ts';

const keys = { type: 'tcp', spool: 'true', queue_bytes: '64K' } as const;

/** What is done to the segments of a spool, the oldest first. */
const damages: Readonly<Record<string, (segments: readonly string[]) => void>> = {
  'its oldest segment deleted': ([oldest]) => {
    rmSync(oldest!);
  },
  'a segment in the middle deleted': ([, , third]) => {
    rmSync(third!);
  },
  'its newest segment deleted': (segments) => {
    rmSync(segments.at(-1)!);
  },
  'its newest segment emptied': (segments) => {
    truncateSync(segments.at(-1)!);
  },
  'its newest segment torn': (segments) => {
    const newest = segments.at(-1)!;
    truncateSync(newest, Math.floor(statSync(newest).size / 2));
  },
  'its oldest and its newest segment deleted': (segments) => {
    rmSync(segments[0]!);
    rmSync(segments.at(-1)!);
  },
  'all its segments deleted': (segments) => {
    for (const segment of segments) rmSync(segment);
  },
  'zeros in a segment': ([, second]) => {
    writeFileSync(second!, Buffer.alloc(statSync(second!).size));
  },
  'bits flipped in all segments': (segments) => {
    for (const segment of segments) {
      const content = readFileSync(segment);
      for (let at = 1000; at < content.length; at += 400_000) content[at]! ^= 4;
      writeFileSync(segment, content);
    }
  },
  'two segments swapped': ([, second, third]) => {
    renameSync(second!, `${second!}.x`);
    renameSync(third!, second!);
    renameSync(`${second!}.x`, third!);
  },
  'a position beyond its end': ([oldest]) => {
    // As release 0.1.0 wrote it.
    writeFileSync(join(oldest!, '../position'), `10000 ${crc32('10000').toString(16)}\n`);
  },
  'a position that is none': ([oldest]) => {
    writeFileSync(join(oldest!, '../position'), 'nonsense\n');
  },
  'no position': ([oldest]) => {
    rmSync(join(oldest!, '../position'), { force: true });
  },
};

describe('a spool', { concurrency: true }, () => {
  const cleanUp: (() => void)[] = [];
  let sound: Rig;
  before(async () => {
    sound = new Rig({ after: (done) => cleanUp.push(done as () => void) });
    sound.configure({ stream: { ...keys, target: '127.0.0.1:9' } });
    await sound.backlog(200, 60_000);
    assert.ok(segments(sound).length >= 5, `${segments(sound).length} segments`);
  });
  after(() => {
    for (const each of cleanUp) each();
  });

  for (const [what, damage] of Object.entries(damages)) {
    test(`with ${what}: each record arrives or is counted`, async (t) => {
      const rig = new Rig(t);
      rig.inherit(sound);
      damage(segments(rig));
      const peer = await LinePeer.create(t);
      rig.configure({ stream: { ...keys, target: peer.target } });
      const { stderr } = await delivered(rig);
      rig.assertAccounted(peer.records);
      assert.ok(stderr.split('\n').length < 40, stderr);
    });
  }

  test('with a segment of a later version: that is told and kept, the others are delivered', async (t) => {
    const rig = new Rig(t);
    rig.inherit(sound);
    const [, second] = segments(rig);
    const content = readFileSync(second!);
    writeFileSync(second!, ofVersion(9, content));
    const peer = await LinePeer.create(t);
    rig.configure({ stream: { ...keys, target: peer.target } });
    const run = rig.start();
    await peer.until('the others', () => peer.records.some((key) => key.endsWith(' 200')));
    await run.until('word of what is kept', () => run.stderr.includes('are kept'));
    await run.stop();
    assert.match(run.stderr, /\d+ records of a newer version in .* are kept and not delivered/);
    writeFileSync(second!, content);
    await delivered(rig);
    assert.deepEqual(rig.assertAccounted(peer.records), {});
  });
});

/** A segment whose header names another version: name, version, length, so much JSON, and a checksum of all that. */
function ofVersion(version: number, segment: Buffer): Buffer {
  const later = Buffer.from(segment);
  later[7] = version;
  const end = 12 + later.readUInt32BE(8);
  later.writeUInt32BE(crc32(later.subarray(0, end)), end);
  return later;
}

function segments(rig: Rig): string[] {
  const directory = join(rig.state, 'stream');
  return readdirSync(directory)
    .filter((file) => file.endsWith('.spool'))
    .sort()
    .map((file) => join(directory, file));
}
