/** Waits for something, but not longer than so many ms. */
export async function within(deadline: number, what: Promise<unknown> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  try {
    await Promise.race([what, new Promise((resolve) => (timer = setTimeout(resolve, deadline)))]);
  } finally {
    clearTimeout(timer);
  }
}
