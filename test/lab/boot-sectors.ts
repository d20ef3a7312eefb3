/**
 * Guests of a few dozen bytes: PC boot sectors, loaded by the BIOS from a floppy to 0000:7c00 in 16-bit real mode.
 * Written as machine code, so that the tests need no assembler. Both use the BIOS tick counter at 0000:046c, which
 * the timer interrupt advances 18.2 times a second.
 */
const SECTOR = 512;
const LOAD_ADDRESS = 0x7c00;

/**
 * A guest that keeps its vCPU busy for `eighths` of every eight BIOS ticks (0.44 s) and halts for the rest: 0 is an
 * idle guest that wakes up only for the timer, 8 never halts.
 */
export function spinSector(eighths: number): Buffer {
  expectInteger('eighths', eighths, 0, 8);
  // prettier-ignore
  return sector([
    0xfb,             // 00       sti
    0x31, 0xc0,       // 01       xor ax, ax
    0x8e, 0xd8,       // 03       mov ds, ax
    0xa0, 0x6c, 0x04, // 05 loop: mov al, [0x046c]   low byte of the tick counter
    0x24, 0x07,       // 08       and al, 7
    0x3c, eighths,    // 0a       cmp al, eighths
    0x72, 0xf7,       // 0c       jb loop            spin in the first `eighths` ticks of eight
    0xf4,             // 0e       hlt                until the next interrupt
    0xeb, 0xf4,       // 0f       jmp loop
  ]);
}

/**
 * A guest that at every BIOS tick reads and writes 4 KiB of the first hard disk `pairs` times, then halts: about
 * 18 * pairs operations of each kind a second, less where the disk does not keep up. It walks through the first
 * 8 MiB of the disk again and again, through BIOS calls, which know virtio, SCSI, IDE and SATA disks.
 */
export function diskSector(pairs: number): Buffer {
  expectInteger('pairs', pairs, 1, 0xffff);
  const packet = 0x40; // where in the sector the disk address packet stands
  const [packetLow, packetHigh] = word(LOAD_ADDRESS + packet);
  const [blockLow, blockHigh] = word(LOAD_ADDRESS + packet + 8);
  const [nextLow, nextHigh] = word(LOAD_ADDRESS + packet + 9);
  // prettier-ignore
  const code = [
    0x31, 0xc0,                            // 00       xor ax, ax
    0x8e, 0xd8,                            // 02       mov ds, ax
    0xfb,                                  // 04       sti
    0xb9, ...word(pairs),                  // 05 tick: mov cx, pairs
    0x51,                                  // 08 pair: push cx
    0xbe, packetLow, packetHigh,           // 09       mov si, packet
    0xb2, 0x80,                            // 0c       mov dl, 0x80              first hard disk
    0xb4, 0x42,                            // 0e       mov ah, 0x42              extended read
    0xcd, 0x13,                            // 10       int 0x13
    0xbe, packetLow, packetHigh,           // 12       mov si, packet
    0xb2, 0x80,                            // 15       mov dl, 0x80
    0xb8, 0x00, 0x43,                      // 17       mov ax, 0x4300            extended write, no verify
    0xcd, 0x13,                            // 1a       int 0x13
    0x83, 0x06, blockLow, blockHigh, 0x08, // 1c       add word [block], 8
    0x80, 0x26, nextLow, nextHigh, 0x3f,   // 21       and byte [block + 1], 63  wrap at 16384 sectors
    0x59,                                  // 26       pop cx
    0xe2, 0xdf,                            // 27       loop pair
    0xf4,                                  // 29       hlt
    0xeb, 0xd9,                            // 2a       jmp tick
  ];
  while (code.length < packet) code.push(0);
  // prettier-ignore
  code.push(
    0x10, 0x00,              // size of the packet
    0x08, 0x00,              // sectors to transfer
    0x00, 0x00, 0x00, 0x10,  // buffer at 1000:0000
    0, 0, 0, 0, 0, 0, 0, 0,  // block: number of the first sector
  );
  return sector(code);
}

/** A guest that crashes at once: it tells the pvpanic device of QEMU that it panicked. */
export function panicSector(): Buffer {
  // prettier-ignore
  return sector([
    0xba, ...word(0x505), // 00       mov dx, 0x505       port of pvpanic
    0xb0, 0x01,           // 03       mov al, 1           it panicked
    0xee,                 // 05       out dx, al
    0xf4,                 // 06 halt: hlt
    0xeb, 0xfd,           // 07       jmp halt
  ]);
}

/** A 16-bit number as the processor stores it. */
function word(value: number): [low: number, high: number] {
  return [value & 0xff, value >> 8];
}

function sector(code: readonly number[]): Buffer {
  const bytes = Buffer.alloc(SECTOR);
  bytes.set(code);
  bytes.writeUInt16LE(0xaa55, SECTOR - 2); // the BIOS boots only what carries this signature
  return bytes;
}

function expectInteger(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${what}: expected an integer from ${least} to ${most}, found ${value}`);
  }
}
