import { isObject, parseJson } from '../base/untyped/values.ts';

/** PATH_MAX, where QEMU cuts off what it says. */
const LONGEST = 4096;

/**
 * The file or device of the host that QEMU names as an image; undefined for an image on a server (`nbd://host/disk`,
 * `rbd:pool/disk`), a passed descriptor (`/dev/fdset/2`), or none. A relative path stays one.
 *
 * QEMU names an image by a plain word if that is enough, else by `json:` and its layers, of which the lowest holds the file
 * (QEMU bdrv_refresh_filename). If it had to cut that off, the path is not known.
 */
export function imagePath(filename: string): string | undefined {
  if (filename.length > LONGEST) return undefined;
  const name = filename.startsWith('json:') ? lowest(filename.slice('json:'.length)) : filename;
  // QEMU takes what stands before a colon for a protocol unless it has a slash.
  return name === undefined || name === '' || /^[^/]*:|^\/dev\/fdset\//.test(name) ? undefined : name;
}

function lowest(json: string): string | undefined {
  for (const { filename } of layersOf(json)) if (typeof filename === 'string') return filename;
  return undefined;
}

/** The layers of an image that QEMU names by `json:`, the topmost first; none of one that it names by a word. */
export function imageLayers(filename: string): Iterable<Readonly<Record<string, unknown>>> {
  return filename.startsWith('json:') && filename.length <= LONGEST
    ? layersOf(filename.slice('json:'.length))
    : [];
}

function* layersOf(json: string): Generator<Readonly<Record<string, unknown>>> {
  for (let layer = parseJson(json); isObject(layer); layer = layer['file']) yield layer;
}
