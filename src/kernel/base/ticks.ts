/** USER_HZ, the kernel's clock ticks a second towards user space: 100 on every architecture that runs KVM. */
export const TICKS_PER_S = 100;
export const MS_PER_TICK = 1000 / TICKS_PER_S;
export const NS_PER_TICK = 1e9 / TICKS_PER_S;
