import { ConfigError } from '../../config/errors.ts';
import type { EnvironmentLayer, FileLayer, Layer } from '../../config/layers/layer.ts';
import type { Settings } from '../../config/settings.ts';

/** What decides whether the terminal view opens. */
interface ViewRequest {
  readonly file: FileLayer | undefined;
  readonly environment: EnvironmentLayer;
  readonly args: Layer;
  /** Whether --view was given. */
  readonly asked: boolean;
  /** Whether standard input and output are a terminal. */
  readonly onTerminal: boolean;
  /** TERM; undefined where it is not set. */
  readonly terminal: string | undefined;
}

/** Keys at the top that are about lines of text, or about a run that ends by itself. */
const textKeys = ['human', 'names', 'runs'];

/** Terminals whose cursor cannot be moved. */
const dumb = ['', 'dumb', 'unknown'];

/**
 * The settings of the terminal view, with the outputs beside it; undefined where none is wanted. It opens on a terminal
 * when nothing says what to print or where to; with --view beside the outputs that are configured. Throws a ConfigError
 * where it cannot.
 */
export function settingsOfView(settings: Settings, request: ViewRequest): Settings | undefined {
  const { asked, onTerminal, terminal = '' } = request;
  const converts = settings.replay !== undefined && settings.record !== undefined;
  const described = describesOutput(request) || converts;
  if (!asked && (!onTerminal || described || wantsText(request))) return undefined;
  if (!onTerminal) throw new ConfigError('--view: needs a terminal as standard input and output');
  if (dumb.includes(terminal)) {
    throw new ConfigError(
      `the terminal view needs a terminal whose cursor can be moved, and TERM is ${terminal === '' ? 'not set' : terminal}\n` +
        'proxtop --printer=text prints a table instead, one line for each VM',
    );
  }
  if (settings.replay !== undefined && described)
    throw new ConfigError('--view: a replay goes to the view or to outputs; remove --view or the outputs');
  const outputs = described ? settings.outputs : [];
  const rival = outputs.find(({ type }) => type === 'stdout');
  if (rival !== undefined)
    throw new ConfigError(`--view: output ${rival.name} writes to the same terminal; remove one of them`);
  return { ...settings, outputs };
}

function describesOutput({ file, environment, args }: ViewRequest): boolean {
  return (file?.outputs.size ?? 0) + environment.output.size + args.output.size > 0;
}

function wantsText({ environment, args }: ViewRequest): boolean {
  return textKeys.some((key) => environment.general.has(key) || args.general.has(key));
}
