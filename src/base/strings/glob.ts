/** Whether a name is the text, in which `*` stands for anything and `?` for one character. */
export function glob(text: string): (name: string) => boolean {
  if (!/[*?]/.test(text)) return (name) => name === text;
  const source = text
    .replace(/[\\^$.+()|[\]{}]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  const pattern = new RegExp(`^${source}$`, 'su');
  return (name) => pattern.test(name);
}
