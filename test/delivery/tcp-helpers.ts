import type { TestContext } from 'node:test';
import type { QueueSettings, TcpSettings } from '../../src/delivery/settings.ts';
import { TcpDestination, type TcpPace } from '../../src/delivery/tcp/tcp.ts';
import { logs, TestOutput } from './helpers.ts';

export const roomy: QueueSettings = { maxBytes: 64 << 20, whenFull: 'drop_oldest' };

/** The real pace, sped up. */
export const quick: TcpPace = {
  age: 200,
  backoff: () => 10 + Math.random() * 20,
  stable: 100,
  hold: 300,
};

/** A destination that is closed with the test. */
export function open(
  t: TestContext,
  port: number,
  change: Partial<TcpSettings> = {},
  pace: TcpPace = quick,
  onNewReader?: () => void,
): { tcp: TestOutput; at: ReturnType<typeof logs>['at'] } {
  const { log, at } = logs();
  const print = { layout: 'cycle', verbose: false, devices: false, human: false, names: 'proxtop' } as const;
  const common = {
    name: 'test',
    printer: 'json',
    print,
    type: 'tcp',
    host: '127.0.0.1',
    timeout: 10,
  } as const;
  const settings = { ...common, port, queue: roomy, ...change };
  const tcp = new TestOutput(
    t,
    settings,
    log,
    (tap) => new TcpDestination(settings, tap, log, onNewReader, pace),
  );
  return { tcp, at };
}
