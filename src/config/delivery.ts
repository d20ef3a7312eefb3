import type {
  PrometheusSettings,
  RotationSettings,
  StoreSettings,
  TcpSettings,
} from '../delivery/settings.ts';
import type { PrinterName } from '../formats/index.ts';
import { ConfigError } from './errors.ts';
import type { GivenMap, Values } from './layers/given.ts';
import type { schema } from './schema/schema.ts';

/** The values of section output. */
type OutputValues = Values<typeof schema.output>;

/**
 * Throws a ConfigError for keys that have no meaning without a spool.
 *
 * @param directory of this output alone
 * @param named whether the file describes the output: then it is one whose spool may have been switched off
 */
export function spoolSettings(
  own: GivenMap,
  values: OutputValues,
  directory: string,
  named: boolean,
): Pick<StoreSettings, 'spool' | 'leftSpool'> {
  if (!values.spool) {
    refuseWithout(own, 'spool', ['spool_max', 'spool_sync', 'catchup']);
    return named ? { leftSpool: directory } : {};
  }
  const { spool_max: maxBytes, spool_sync: sync, catchup } = values;
  return { spool: { directory, maxBytes, sync, catchup } };
}

/**
 * The order in which records are handed over, by default what the receivers of the format want. Throws a ConfigError for a
 * share of the connection where there is none.
 */
export function orderSettings(
  own: GivenMap,
  values: Pick<OutputValues, 'order'>,
  printer: PrinterName,
): Pick<StoreSettings, 'strict'> {
  const { order = printer === 'remote-write' ? 'strict' : 'interleaved' } = values;
  if (order === 'interleaved') return {};
  const share = own.get('catchup');
  if (share !== undefined)
    throw new ConfigError(
      `${share.origin}: has no effect with order = strict, which gives the backlog the whole connection; remove it`,
    );
  return { strict: true };
}

/** Throws a ConfigError for keys that have no meaning without TLS, and for half a pair of certificate and key. */
export function tlsSettings(own: GivenMap, values: OutputValues): Pick<TcpSettings, 'tls'> {
  if (!values.tls) {
    refuseWithout(own, 'tls', ['tls_ca', 'tls_cert', 'tls_key', 'tls_servername']);
    return {};
  }
  refuseHalfPair(own);
  const { tls_ca: ca, tls_cert: cert, tls_key: key, tls_servername: servername } = values;
  return {
    tls: {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(servername !== undefined && { servername }),
    },
  };
}

/** The certificate of a server, which has one where it is given. Throws a ConfigError for half a pair with its key. */
export function serverTls(own: GivenMap, values: OutputValues): Pick<PrometheusSettings, 'tls'> {
  refuseHalfPair(own);
  const { tls_cert: cert, tls_key: key } = values;
  return cert === undefined || key === undefined ? {} : { tls: { cert, key } };
}

function refuseHalfPair(own: GivenMap): void {
  refuseWithout(own, 'tls_cert', ['tls_key']);
  refuseWithout(own, 'tls_key', ['tls_cert']);
}

/** Throws a ConfigError where the token is given twice, or would be more than a line. */
export function tokenSettings(
  own: GivenMap,
  { token, token_file: tokenFile }: OutputValues,
): Pick<TcpSettings, 'token' | 'tokenFile'> {
  if (token !== undefined && tokenFile !== undefined) {
    const origin = own.get('token_file')?.origin ?? 'token_file';
    throw new ConfigError(`${origin}: token is set too; give one of them`);
  }
  if (token !== undefined && /\p{Cc}/u.test(token)) {
    const origin = own.get('token')?.origin ?? 'token';
    throw new ConfigError(`${origin}: found a control character, expected a token of one line`);
  }
  return { ...(token !== undefined && { token }), ...(tokenFile !== undefined && { tokenFile }) };
}

/** Throws a ConfigError where files to keep are counted and none is put aside. */
export function rotationSettings(
  own: GivenMap,
  { rotate_size: size, rotate_keep: keep }: OutputValues,
): { readonly rotation?: RotationSettings } {
  if (size !== undefined) return { rotation: { size, keep } };
  refuseWithout(own, 'rotate_size', ['rotate_keep']);
  return {};
}

/**
 * Seconds that a record stands for; undefined where each sample is one. Throws a ConfigError unless samples fit into them.
 *
 * @param frequency seconds between two samples; undefined where a recording decides
 * @param usual seconds, at least, where none are given; undefined where each sample is a record
 */
export function recordInterval(
  own: GivenMap,
  { interval }: Pick<OutputValues, 'interval'>,
  frequency: number | undefined,
  usual?: number,
): number | undefined {
  const given = own.get('interval');
  const found = given === undefined && usual !== undefined ? fitting(usual, frequency) : undefined;
  if (found !== undefined) return found;
  refuseWithout(own, 'interval', ['maxima']);
  if (interval === undefined || given === undefined || frequency === undefined) return interval;
  const samples = interval / frequency;
  if (samples >= 1 && Math.abs(samples - Math.round(samples)) < 1e-9) return interval;
  throw new ConfigError(
    `${given.origin}: found "${given.text}", expected a multiple of the frequency, which is ${frequency} seconds`,
  );
}

/** The least multiple of the frequency that is as long; undefined where that is the frequency itself. */
function fitting(seconds: number, frequency: number | undefined): number | undefined {
  if (frequency === undefined) return seconds;
  const samples = Math.ceil(seconds / frequency - 1e-9);
  return samples > 1 ? Number((samples * frequency).toFixed(9)) : undefined;
}

/** Refuses keys that depend on one that was not given. One that was given to turn something off leaves the others be. */
function refuseWithout(own: GivenMap, needed: string, keys: readonly string[]): void {
  const given = keys.map((key) => own.get(key)).find((value) => value !== undefined);
  if (given === undefined || own.has(needed)) return;
  throw new ConfigError(`${given.origin}: has no effect without ${needed}`);
}
