import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { LineReceiver } from '../lab/receiver.ts';
import { Program, PROXTOP, type Cycle } from './program.ts';

/** Writes the datagrams to its standard output. It takes no descriptors, whose closing systemd-notify waits for. */
const LISTENER = `
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
while True:
    sys.stdout.buffer.write(listener.recv(65536) + b"\\n")
    sys.stdout.flush()
`;

/** Hears what systemd would. systemd itself is had only in a machine of its own (test/host). */
class ServiceManager {
  readonly socket: string;
  private readonly listener: ChildProcess;
  private heard = '';
  private readonly waiting = new Set<() => void>();

  private constructor(directory: string) {
    this.socket = join(directory, 'notify');
    this.listener = spawn('python3', ['-c', LISTENER, this.socket], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.listener.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.heard += text;
      for (const look of [...this.waiting]) look();
    });
  }

  static async start(t: TestContext, directory: string): Promise<ServiceManager> {
    const manager = new ServiceManager(directory);
    t.after(() => manager.listener.kill());
    while (!existsSync(manager.socket)) await new Promise((resolve) => setTimeout(resolve, 5));
    return manager;
  }

  /** Resolves with what was heard from `from` on, as soon as it matches. */
  async hears(pattern: RegExp, from = 0): Promise<string> {
    let late: NodeJS.Timeout | undefined;
    const matched = new Promise<void>((resolve, reject) => {
      late = setTimeout(() => {
        reject(new Error(`${String(pattern)} was not heard: ${JSON.stringify(this.heard.slice(from))}`));
      }, 30_000);
      const look = (): void => {
        if (!pattern.test(this.heard.slice(from))) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
    await matched;
    clearTimeout(late);
    return this.heard.slice(from);
  }

  /** How much was heard so far. */
  get length(): number {
    return this.heard.length;
  }
}

interface Setting {
  readonly manager: ServiceManager;
  readonly config: string;
  readonly receiver: LineReceiver;
  /** Starts the service. */
  readonly start: (env?: Readonly<Record<string, string>>, program?: string) => Program;
}

/** A host without VMs, and a service that has yet to be started. */
async function setting(t: TestContext, configuration: (target: string) => string): Promise<Setting> {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-service-'));
  const receiver = await LineReceiver.create();
  t.after(async () => {
    await receiver.kill();
    rmSync(directory, { recursive: true });
  });
  const manager = await ServiceManager.start(t, directory);
  const config = join(directory, 'proxtop.conf');
  writeFileSync(config, configuration(receiver.target));
  const roots = ['--rundir', join(directory, 'run'), '--pvedir', join(directory, 'pve'), '--qemu'];
  roots.push('--state-dir', join(directory, 'state'));
  const start = (env: Readonly<Record<string, string>> = {}, program = PROXTOP): Program => {
    const child = spawn(program, ['--config', config, ...roots], {
      env: { ...process.env, NOTIFY_SOCKET: manager.socket, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.after(() => child.kill('SIGKILL'));
    return new Program(child);
  };
  return { manager, config, receiver, start };
}

function logstash(target: string): string {
  return `frequency = 0.3\n[output.logstash]\ntype = tcp\ntarget = ${target}\n`;
}

const addon = new URL('../../dist/node_modules/sd-notify/build/Release/notify.node', import.meta.url);
const ways = [
  {
    how: 'through the native addon',
    skip: !existsSync(addon) && 'needs the addon (make addon build)',
    bare: false,
  },
  { how: 'through the program systemd-notify, where there is no addon', skip: false, bare: true },
];

describe('what the service manager is told', { concurrency: true }, () => {
  for (const { how, skip, bare } of ways) {
    test(how, { skip }, async (t) => {
      const { manager, receiver, start } = await setting(t, logstash);
      const service = start({ WATCHDOG_USEC: '1500000' }, bare ? withoutAddon(t) : PROXTOP);
      const ready = await manager.hears(/READY=1\nSTATUS=.*/);
      assert.match(ready, /^READY=1\nSTATUS=\d+ VMs; logstash \w+, \d+ waiting, 0 dropped/);
      await receiver.nth(1);
      await manager.hears(/WATCHDOG=1[^]*WATCHDOG=1/);
      const before = manager.length;
      service.child.kill('SIGHUP');
      const reloaded = await manager.hears(/READY=1/, before);
      const [, time = ''] = /RELOADING=1\nMONOTONIC_USEC=(\d+)\n/.exec(reloaded) ?? [];
      const now = Number(process.hrtime.bigint() / 1000n);
      assert.ok(Number(time) <= now && Number(time) > now - 30e6, `${time} at ${now}`);
      service.child.kill('SIGTERM');
      await manager.hears(/STOPPING=1/, before);
      const { code, stderr } = await service.end();
      assert.equal(code, 0, stderr);
    });
  }

  test('no sample, no sign of life: a program that hangs tells nothing', async (t) => {
    const { manager, start } = await setting(t, logstash);
    const service = start({ WATCHDOG_USEC: '300000' });
    await manager.hears(/WATCHDOG=1/);
    service.child.kill('SIGSTOP');
    // What was sent before it stopped is there when this is.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const before = manager.length;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal(manager.length, before);
    service.child.kill('SIGCONT');
    await manager.hears(/WATCHDOG=1/, before);
    await service.stop();
  });

  test('a watchdog that waits for another process is not fed', async (t) => {
    const { manager, start } = await setting(t, logstash);
    const service = start({ WATCHDOG_USEC: '300000', WATCHDOG_PID: '1' });
    await manager.hears(/READY=1/);
    await service.stop();
    assert.doesNotMatch(await manager.hears(/STOPPING=1/), /WATCHDOG/);
  });

  test('without an output and a history it is ready, says what to set and waits; a reload brings the output', async (t) => {
    const { manager, config, receiver, start } = await setting(t, () => '[history]\nenabled = false\n');
    const service = start();
    await manager.hears(/READY=1\nSTATUS=no output is configured: describe an \[output\.NAME\]/);
    writeFileSync(config, logstash(receiver.target));
    service.child.kill('SIGHUP');
    await receiver.nth(2);
    const { code, stdout, stderr } = await service.stop();
    assert.deepEqual([code, stdout], [0, '']);
    assert.match(stderr, /no output is configured.*\n.*the new configuration is in effect/);
  });
});

describe('reloading', { concurrency: true }, () => {
  test('a broken file changes nothing, and status and log say why', async (t) => {
    const { manager, config, receiver, start } = await setting(t, logstash);
    const service = start();
    const { run, seq } = JSON.parse(await receiver.nth(1)) as Cycle;
    writeFileSync(config, 'frequency = often\n');
    service.child.kill('SIGHUP');
    const why = 'proxtop\\.conf:1, frequency: found "often", expected a number of seconds';
    await manager.hears(new RegExp(`STATUS=.*the new configuration is refused: .*${why}`));
    const after = JSON.parse(await receiver.next()) as Cycle;
    assert.deepEqual([after.run, after.seq > seq], [run, true]);
    assert.match(
      (await service.stop()).stderr,
      new RegExp(`error.*the old configuration stays in effect: .*${why}`),
    );
  });

  test('other outputs: what is sampled goes on in its beat', async (t) => {
    const { manager, config, receiver, start } = await setting(t, logstash);
    const service = start();
    await receiver.nth(2);
    const file = join(dirname(config), 'samples.json');
    writeFileSync(config, `${readFileSync(config, 'utf8')}\n[output.file]\ntype = file\ntarget = ${file}\n`);
    const before = manager.length;
    service.child.kill('SIGHUP');
    await manager.hears(/READY=1/, before);
    await receiver.nth(receiver.lines.length + 3);
    await service.stop();
    const cycles = receiver.lines.map((line) => JSON.parse(line) as Cycle);
    assert.deepEqual(
      cycles.map(({ seq }) => seq),
      cycles.map((_, index) => index + 1),
    );
    assert.equal(new Set(cycles.map(({ run }) => run)).size, 1);
    assert.equal(receiver.connections, 1);
    const written = readFileSync(file, 'utf8').trimEnd().split('\n');
    assert.deepEqual(written, receiver.lines.slice(-written.length));
  });

  test('another frequency and other collectors begin a new run over the same connection', async (t) => {
    const { config, receiver, start } = await setting(t, logstash);
    const service = start();
    const { run } = JSON.parse(await receiver.nth(1)) as Cycle;
    writeFileSync(config, `collectors = host\n${readFileSync(config, 'utf8').replace('0.3', '0.2')}`);
    service.child.kill('SIGHUP');
    const renewed = await receiver.first((line) => (JSON.parse(line) as Cycle).run !== run);
    const { seq, host } = JSON.parse(renewed) as Cycle;
    assert.deepEqual([seq, host['cpu_user']], [1, undefined]);
    assert.equal(receiver.connections, 1);
    assert.equal((await service.stop()).code, 0);
  });

  test('what waits for a receiver that is away is delivered after a reload', async (t) => {
    const { config, receiver, start } = await setting(t, logstash);
    await receiver.kill();
    const service = start();
    await service.until('an outage', () => service.stderr.includes('no connection'));
    writeFileSync(config, `${readFileSync(config, 'utf8')}timeout = 20\n`);
    service.child.kill('SIGHUP');
    await service.until('the reload', () => service.stderr.includes('the new configuration is in effect'));
    await receiver.restart();
    await receiver.first((line) => (JSON.parse(line) as Cycle).seq === 8);
    await service.stop();
    const seqs = new Set(receiver.lines.map((line) => (JSON.parse(line) as Cycle).seq));
    for (let seq = 1; seq <= 8; seq++) assert.ok(seqs.has(seq), `${seq} of ${[...seqs].join()}`);
  });

  test('log_level applies at once', async (t) => {
    const { config, receiver, start } = await setting(t, logstash);
    const service = start();
    await receiver.nth(1);
    assert.ok(!service.stderr.includes('debug'));
    writeFileSync(config, `log_level = debug\n${readFileSync(config, 'utf8')}`);
    service.child.kill('SIGHUP');
    await service.until('the reload', () => service.stderr.includes('the new configuration is in effect'));
    await receiver.kill();
    await service.until('debug lines of an output that goes on', () =>
      /debug .*next attempt/.test(service.stderr),
    );
    await service.stop();
  });
});

test('a second signal ends it at once', async (t) => {
  // It reads everything and never closes, so the end of the first signal waits for it.
  const peer = createServer({ allowHalfOpen: true }, (socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(peer, 'listening');
  const { port } = peer.address() as AddressInfo;
  const connected = once(peer, 'connection');
  const { manager, start } = await setting(t, () => logstash(`127.0.0.1:${port}`));
  const service = start();
  const [socket] = (await connected) as [Socket];
  t.after(() => {
    socket.destroy();
    peer.close();
  });
  socket.on('error', () => undefined);
  await manager.hears(/READY=1/);
  const asked = once(socket, 'end');
  service.child.kill('SIGTERM');
  await Promise.all([asked, manager.hears(/STOPPING=1/)]);
  service.child.kill('SIGINT');
  const { signal } = await service.end();
  assert.equal(signal, 'SIGINT');
});

/** The program as where no addon was built. */
function withoutAddon(t: TestContext): string {
  const copy = mkdtempSync(join(tmpdir(), 'proxtop-bare-'));
  t.after(() => {
    rmSync(copy, { recursive: true });
  });
  const bare = (path: string): boolean => !path.includes('node_modules');
  cpSync(dirname(PROXTOP), copy, { recursive: true, filter: bare });
  return join(copy, 'proxtop');
}
