import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { HostDevices } from '../../src/guests/below/host-device.ts';
import { PollSchedule } from '../../src/guests/poll-schedule.ts';
import { MonitorSockets } from '../../src/guests/qemu/monitor-sockets.ts';
import { parseQemuArguments } from '../../src/guests/qemu/qemu-arguments.ts';
import { QemuPoller } from '../../src/guests/qemu/qemu-poller.ts';
import { QemuVm } from '../../src/guests/qemu/qemu-vm.ts';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';
import { Process } from '../../src/kernel/process/process.ts';
import { logs } from '../delivery/helpers.ts';
import { Qemu, bare } from '../qmp/qemu.ts';

const paths = new Paths(defaultRoots);

/** A VM of a QEMU, as little of one as there can be. */
class Vm extends QemuVm {
  readonly label = 'test';
  readonly uuid = 'u';
  readonly name = 'n';
  readonly memory = undefined;
  readonly disks = [];
  protected readonly asksMemory = false;

  protected isConfigured(): undefined {
    return undefined;
  }
}

/** A poller and a real QEMU whose monitor it asks. */
function setUp(t: TestContext): {
  qemu: Qemu;
  vm: Vm;
  poller: QemuPoller;
  at: ReturnType<typeof logs>['at'];
} {
  const qemu = new Qemu(bare);
  const monitor = new MonitorSockets(paths).monitor(qemu.pid, qemu.path);
  const schedule = new PollSchedule(10, 1);
  const vm = new Vm(
    paths,
    Process.open(paths, qemu.pid)!,
    parseQemuArguments([]),
    undefined,
    schedule,
    monitor,
    new HostDevices(paths),
  );
  const { log, at } = logs();
  t.after(() => {
    vm.close();
    qemu.stop();
  });
  return { qemu, vm, poller: new QemuPoller(log), at };
}

/** Asks a monitor if it is due, or whether it is or not. */
const ask = (poller: QemuPoller, vm: Vm, everyone: boolean): Promise<void> =>
  poller.poll(poller.due([vm], performance.now() / 1000, everyone));

test('a monitor is asked when it is due, or when everyone is', async (t) => {
  const { vm, poller } = setUp(t);
  await ask(poller, vm, false);
  const first = vm.detail;
  assert.equal(first?.state, 'prelaunch');
  await ask(poller, vm, false);
  assert.equal(vm.detail, first, 'not due');
  await ask(poller, vm, true);
  assert.notEqual(vm.detail, first);
  assert.equal(poller.failures, 0);
});

test('a monitor that hangs: told once, counted, asked by one visit at a time, and told when it answers again', async (t) => {
  const { qemu, vm, poller, at } = setUp(t);
  await ask(poller, vm, true);
  const answered = vm.detail?.time;
  qemu.freeze();
  const polls = [ask(poller, vm, true), ask(poller, vm, true)];
  await Promise.all(polls);
  assert.deepEqual([poller.failures, vm.detail], [1, undefined]);
  assert.deepEqual(vm.silence, { reason: 'timeout', since: answered });
  await ask(poller, vm, true);
  assert.equal(poller.failures, 1, 'the connection still waits: it is not due');
  assert.equal(at('warn').length, 1);
  assert.match(at('warn')[0] ?? '', /^VM test: QMP values are omitted \(timeout\)/);
  qemu.signal('SIGCONT');
  while (vm.detail === undefined) {
    await ask(poller, vm, true);
    await new Promise(setImmediate);
  }
  assert.deepEqual([vm.silence, at('info')], [undefined, ['VM test: the monitor answers again']]);
});

test('an error counts when it comes twice, and nothing is said of a VM that has ended', async (t) => {
  const { qemu, vm, poller, at } = setUp(t);
  qemu.signal('SIGKILL');
  while (vm.process.refresh()) await new Promise(setImmediate);
  await ask(poller, vm, true);
  assert.deepEqual([vm.silence?.reason, at('warn')], ['error', []]);
  while (poller.failures < 2) {
    await ask(poller, vm, true);
    await new Promise(setImmediate);
  }
  assert.equal(at('warn').length, 1);
  const ended = setUp(t);
  ended.qemu.freeze();
  const poll = ask(ended.poller, ended.vm, true);
  ended.vm.close();
  await poll;
  assert.deepEqual([ended.poller.failures, ended.at('warn')], [0, []]);
});
