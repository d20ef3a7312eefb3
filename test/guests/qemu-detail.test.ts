import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QemuAnswers } from '../../src/guests/qemu/qemu-detail.ts';
import { VisitPlan } from '../../src/guests/qemu/qemu-detail.ts';

const always = ['query-status', 'query-blockstats'];
const balloon = 'query-balloon';
const statistics = 'qom-get';
const cpus = 'query-cpus-fast';
const memory = ['query-memory-size-summary', 'query-memory-devices'];
const refused = { value: undefined, error: { class: 'DeviceNotActive', desc: '' } };
const answer = <V>(value: V) => ({ value, error: undefined });
const basic: QemuAnswers = { status: answer({ status: 'running', running: true }), blocks: answer([]) };

/** A VM that answers as told, and what it is asked at a time. */
class Asked {
  private readonly plan = new VisitPlan();

  constructor(
    private readonly answers: Partial<QemuAnswers>,
    private readonly asksMemory = false,
  ) {}

  at(time: number, threads?: number): readonly string[] {
    const questions = this.plan.choose(time, this.asksMemory, threads);
    const asked = questions.prepared.queries.map(({ execute }) => execute);
    const given: Partial<Record<string, unknown>> = {};
    const all: Readonly<Record<string, unknown>> = { ...this.answers, ...basic };
    for (const name of Object.keys(questions.sort([]))) given[name] = all[name];
    this.plan.learn(given as unknown as QemuAnswers, time, threads);
    return asked;
  }
}

test("Proxmox VE's QEMU tells of the guest with the balloon, a VM without one is asked once a minute", () => {
  const pve = new Asked({ balloon: answer({ actual: 1, max: 1 }) });
  for (const time of [0, 10, 20, 100]) assert.deepEqual(pve.at(time), [...always, balloon]);
  const none = new Asked({ balloon: refused });
  assert.deepEqual(none.at(0), [...always, balloon]);
  for (const time of [10, 50]) assert.deepEqual(none.at(time), always);
  assert.deepEqual(none.at(60), [...always, balloon]);
  assert.deepEqual(none.at(70), always);
});

test("a stock QEMU is asked for the guest's statistics while the guest reports them, else once a minute", () => {
  const balloonAlone = { balloon: answer({ actual: 1 }) };
  for (const guest of [answer({}), refused]) {
    const silent = new Asked({ ...balloonAlone, guest });
    assert.deepEqual(silent.at(0), [...always, balloon]);
    assert.deepEqual(silent.at(1), [...always, balloon, statistics]);
    assert.deepEqual(silent.at(11), [...always, balloon]);
    assert.deepEqual(silent.at(61), [...always, balloon, statistics]);
  }
  const reporting = new Asked({ ...balloonAlone, guest: answer({ free: 1, lastUpdate: 5 }) });
  reporting.at(0);
  for (const time of [1, 2, 3]) assert.deepEqual(reporting.at(time), [...always, balloon, statistics]);
});

test('threads without names are asked about when there are others than before', () => {
  const vm = new Asked({ balloon: refused, cpus: answer([]) });
  assert.deepEqual(vm.at(0, 1), [...always, balloon, cpus]);
  assert.deepEqual(vm.at(10, 1), always);
  assert.deepEqual(vm.at(20, 2), [...always, cpus]);
  assert.deepEqual(vm.at(30), always);
});

test('memory that only QEMU knows of is asked for once a minute', () => {
  const vm = new Asked({ balloon: refused, base: answer(1), plugged: answer(0) }, true);
  assert.deepEqual(vm.at(0), [...always, balloon, ...memory]);
  assert.deepEqual(vm.at(59), always);
  assert.deepEqual(vm.at(60), [...always, balloon, ...memory]);
});
