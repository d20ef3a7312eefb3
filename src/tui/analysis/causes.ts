/** What usually makes a value bad, by the id of the metric, and what helps; the likeliest first. */
export const causes: Readonly<Record<string, readonly string[]>> = {
  ...forAll(
    ['cpu_steal'],
    [
      'More vCPUs want to run than the host has CPUs: the key b shows who runs most. Move VMs away, or give less vCPUs.',
      'The VM runs into its own CPU limit: see %MLMTD.',
      'The VM is pinned (affinity) to CPUs that others use too, or has a small share (cpuunits) against them.',
      'The host itself is busy: ZFS, backups, Ceph, the network stack (see %SYS and %SOFTIRQ of the host).',
    ],
  ),
  ...forAll(
    ['cpu_throttled'],
    [
      'The VM wants more than its limit (cpulimit): raise it, or accept that the VM is slow.',
      'The limit is below what the emulation needs beside the vCPUs, such as disk and network I/O.',
    ],
  ),
  ...forAll(
    ['cpu_other_total', 'cpu_other_steal'],
    [
      'Much disk or network I/O goes through QEMU: use virtio, an iothread for each disk, more queues.',
      'A backup, a mirror or a live migration of the VM is under way.',
    ],
  ),
  ...forAll(
    ['cpu_load1', 'cpu_load5', 'cpu_load15'],
    [
      'More tasks want to run than the host has CPUs: see %RDY of the VMs.',
      'Tasks wait for a disk that is slow or gone, such as a hanging NFS server: see the pressure of I/O.',
    ],
  ),
  ...forAll(
    ['ram_swap'],
    [
      'The VMs together have more memory than the host: see MEM/CAP, and RSS for who has it.',
      'Other users of memory on the host grew, such as the ZFS cache (ARC) or a backup.',
      'It was swapped out earlier, and nobody has wanted it back since: harmless while MAJFLT stays near 0.',
    ],
  ),
  ...forAll(
    ['ram_majflt', 'ram_swapused'],
    ['The host has too little memory: see AVAILABLE, SWCUR and the pressure of memory.'],
  ),
  ...forAll(
    ['ram_available'],
    [
      'The VMs together have more memory than the host: see MEM/CAP.',
      'The ZFS cache (ARC) is large; it gives memory back, but slowly.',
      'Balloons were not blown up: guests without the driver keep all they were given.',
    ],
  ),
  ...forAll(
    ['ram_swapin', 'ram_swapout'],
    [
      'The guest has too little memory: give it more, or see whether its balloon takes it (MCTL below MAXSZ).',
    ],
  ),
  ...forAll(
    ['disk_lat_rd', 'disk_lat_wr', 'disk_lat_avg'],
    [
      'The storage is slow or overloaded: compare AWAIT and %UTIL of the host; the key b shows who asks most of it.',
      'The VM asks for more than a limit of its disk (iops, mbps): QEMU makes it wait.',
      'AWAIT of the host is low: then the time goes to a network storage, to ZFS, or to QEMU waiting for a CPU (%OTHRDY).',
      'A backup or snapshot of the VM is under way.',
    ],
  ),
  ...forAll(
    ['disk_lat_fl'],
    [
      'The storage has no safe cache for writes: disks without power-loss protection, ZFS without a fast log.',
      'The guest wants every small write to be safe, as databases do; the cache mode of the disk matters.',
    ],
  ),
  ...forAll(
    ['disk_await', 'disk_queue_length', 'disk_util'],
    [
      'The device gets more than it can do: look at its operations and MiB per second, and who causes them (key b).',
      'The device is about to fail, or an array is rebuilt or scrubbed.',
      'A path to a network storage is slow or lost.',
    ],
  ),
  ...forAll(
    ['disk_errors'],
    [
      'The storage is full, gone, or has bad blocks: see the log of the kernel.',
      'The guest asks for what the disk does not have, such as sectors beyond its end.',
    ],
  ),
  ...forAll(
    ['net_rx_drop_percent', 'net_rx_dropped', 'net_rx_fifo'],
    [
      'The guest does not take its packets in time: its vCPUs are busy or wait for a CPU (%RDY), or its queues are short.',
      'A burst is more than the queue of the interface holds: more queues (multiqueue) help.',
      'Of a NIC of the host: its ring is too small, or its interrupts are handled by one busy CPU.',
    ],
  ),
  ...forAll(
    ['net_tx_drop_percent', 'net_tx_dropped', 'net_tx_fifo'],
    ['A firewall, a rate limit or a full queue on the host throws packets away.'],
  ),
  ...forAll(pressures('cpu'), [
    'Tasks wait for a CPU: of a VM see %RDY and %MLMTD, of the host its load.',
    'Some is normal on a busy host; what counts is whether VMs suffer (%RDY).',
  ]),
  ...forAll(pressures('io'), [
    'Tasks wait for a disk or a network storage: see latencies of the VMs and AWAIT of the host.',
    'Memory that comes back from swap counts too.',
  ]),
  ...forAll(pressures('mem'), [
    'The host, or the memory limit of the VM, has too little memory: it swaps, or reclaims caches that are needed at once.',
    'One VM grows fast, and the others pay: see RSS.',
  ]),
};

function forAll(ids: readonly string[], texts: readonly string[]): Record<string, readonly string[]> {
  return Object.fromEntries(ids.map((id) => [id, texts]));
}

/** All metrics of one pressure file. */
function pressures(resource: string): readonly string[] {
  return ['some', 'full'].flatMap((line) =>
    ['avg10', 'avg60', 'avg300', 'total'].map((span) => `psi_${line}_${resource}_${span}`),
  );
}
