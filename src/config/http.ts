import { isSecret } from '../delivery/shared/secret.ts';
import type { Credentials, HttpSettings } from '../delivery/settings.ts';
import type { Precision } from '../formats/printer.ts';
import { ConfigError } from './errors.ts';
import type { GivenMap } from './layers/given.ts';
import { refuse, withoutUser } from './values.ts';
import type { Refusal, ValueType } from './values.ts';

const example = 'for example http://influx.example:8086/write?db=proxtop';

/** Reads an http or https URL. */
export function parseHttpUrl(text: string): URL | Refusal {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === '')
    return refuse(withoutSecrets(text), `a URL that begins with http:// or https://, ${example}`);
  if (url.username !== '' || url.password !== '')
    return refuse(withoutSecrets(text), 'a URL without user name and password, which have keys of their own');
  if (url.hash !== '') return refuse(withoutSecrets(text), 'a URL without #');
  return url;
}

/** A URL as it may be shown: without what could be a password. */
function withoutSecrets(text: string): string {
  return withoutUser(text).replace(/[?#].*$/s, (rest) => `${rest.charAt(0)}...`);
}

/** What the names of headers, and their values, are made of (RFC 9110, only ASCII). */
const header = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t -~]*)$/;
/** Headers that describe the body or the connection, which are not up to the user. */
const ours = /^(content-length|content-encoding|transfer-encoding|connection|expect|host)$/i;

/** Headers, separated by commas: a comma counts only where another `Name:` follows it. */
export const headers: ValueType<Readonly<Record<string, string>>> = {
  expected: 'headers as Name: value, separated by commas',
  parse(text) {
    const found: Record<string, string> = {};
    for (const part of text.split(/,[ \t]*(?=[!#$%&'*+.^_`|~\w-]+:)/)) {
      const [, name = '', value = ''] = header.exec(part.trim()) ?? [];
      // Whatever its fault is, its value may be a secret.
      if (name === '') return refuse(part.trim().replace(/([:\s=]).*$/s, '$1 ...'), this.expected);
      if (ours.test(name)) return refuse(name, 'a header other than those that HTTP itself needs');
      found[name] = value;
    }
    return found;
  },
};

/** How precision is written in the URLs of InfluxDB, as far as we write it. */
const urlPrecisions: Readonly<Record<string, Precision>> = { ns: 'ns', n: 'ns', ms: 'ms', s: 's' };

/**
 * Makes the precision of the timestamps and the URL of InfluxDB agree: one that was given is added to the URL of a write,
 * one that the URL has holds. Throws a ConfigError where they contradict each other.
 */
export function agreeOnPrecision(
  url: URL,
  precision: Precision | undefined,
  own: GivenMap,
): { readonly url: URL; readonly precision: Precision } {
  const written = url.searchParams.get('precision');
  if (written === null) {
    const chosen = precision ?? 'ns';
    if (/\/write$/.test(url.pathname)) {
      const complete = new URL(url);
      complete.searchParams.set('precision', chosen);
      return { url: complete, precision: chosen };
    }
    return { url, precision: chosen };
  }
  const inUrl = urlPrecisions[written];
  const origin = (precision === undefined ? own.get('target') : own.get('precision'))?.origin ?? '';
  if (inUrl === undefined)
    throw new ConfigError(
      `${origin}: the URL says precision=${JSON.stringify(written)}, expected ns, ms or s`,
    );
  if (precision !== undefined && precision !== inUrl)
    throw new ConfigError(`${origin}: found "${precision}", but the URL says precision=${written}`);
  return { url, precision: inUrl };
}

/** The keys about who we are, together. Throws a ConfigError for keys that contradict each other. */
export function readCredentials(
  values: {
    readonly username?: string | undefined;
    readonly password?: string | undefined;
    readonly token?: string | undefined;
    readonly token_file?: string | undefined;
  },
  own: GivenMap,
): Credentials {
  const { username, password, token, token_file: tokenFile } = values;
  const contradiction = (key: string, why: string): ConfigError =>
    new ConfigError(`${own.get(key)?.origin ?? key}: ${why}`);
  if (password !== undefined && username === undefined)
    throw contradiction('password', 'a password needs a username');
  if (token !== undefined && username !== undefined)
    throw contradiction('token', 'a token goes without username and password');
  if (token !== undefined && !isSecret(token))
    throw contradiction(
      'token',
      'expected printable ASCII with single blanks, as no other token fits into a header',
    );
  if (username?.includes(':') === true)
    throw contradiction('username', 'found a colon, which ends the user name in basic authentication');
  for (const [key, text] of Object.entries({ username, password }))
    if (text !== undefined && /\p{Cc}/u.test(text))
      throw contradiction(key, 'found a control character, which basic authentication does not allow');
  if (tokenFile !== undefined && (token ?? password) !== undefined)
    throw contradiction(
      'token_file',
      `${token === undefined ? 'password' : 'token'} is set too; give one of them`,
    );
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(token !== undefined && { token }),
    ...(tokenFile !== undefined && { tokenFile }),
  };
}

/** What is given about TLS. Throws a ConfigError for http, and for half a pair of certificate and key. */
export function givenTls(
  values: {
    readonly tls_ca?: string | undefined;
    readonly tls_cert?: string | undefined;
    readonly tls_key?: string | undefined;
    readonly tls_servername?: string | undefined;
  },
  url: URL,
  own: GivenMap,
): HttpSettings['tls'] {
  const { tls_ca: ca, tls_cert: cert, tls_key: key, tls_servername: servername } = values;
  for (const option of ['tls_ca', 'tls_cert', 'tls_key', 'tls_servername'] as const) {
    if (values[option] !== undefined && url.protocol === 'http:')
      throw new ConfigError(`${own.get(option)?.origin ?? option}: applies to https, but the target is http`);
  }
  if ((cert === undefined) !== (key === undefined)) {
    const [has, lacks] = cert === undefined ? ['tls_key', 'tls_cert'] : ['tls_cert', 'tls_key'];
    throw new ConfigError(`${own.get(has)?.origin ?? has}: ${lacks} is missing, expected both or none`);
  }
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(servername !== undefined && { servername }),
  };
}
