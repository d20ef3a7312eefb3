import { ConfigError } from '../errors.ts';
import type { Given } from './given.ts';
import type { EnvironmentLayer } from './layer.ts';
import { nearest } from '../nearest.ts';
import {
  environmentName,
  environmentPrefix,
  schemaOptions,
  profilerPrefix,
  sectionNames,
} from '../schema/schema.ts';

/**
 * What PROXTOP_* and PROXPROFILER_* variables say. An empty one counts as not set. Throws a ConfigError for a name that
 * is nearly one of ours; others are left alone, since a container or service manager may set PROXTOP_* of its own.
 * STATE_DIRECTORY is what systemd sets for StateDirectory=, NOTIFY_SOCKET what it sets for a service that tells it how
 * it fares.
 */
export function readEnvironment(env: NodeJS.ProcessEnv): EnvironmentLayer {
  const layer = {
    general: new Map<string, Given>(),
    connector: new Map<string, Given>(),
    output: new Map<string, Given>(),
    history: new Map<string, Given>(),
    profiler: new Map<string, Given>(),
  };
  const known = new Set<string>();
  for (const section of sectionNames) {
    for (const key of Object.keys(schemaOptions(section))) {
      const name = environmentName(section, key);
      known.add(name);
      const text = env[name]?.trim();
      if (text !== undefined && text !== '') layer[section].set(key, { text, origin: name });
    }
  }
  for (const prefix of [environmentPrefix, profilerPrefix]) refuseNearMisses(env, prefix, known);
  const provided = new Map<string, Given>();
  const [stateDir = ''] = env['STATE_DIRECTORY']?.split(':') ?? [];
  if (stateDir !== '') provided.set('state_dir', { text: stateDir, origin: 'STATE_DIRECTORY' });
  return { ...layer, provided, service: env['NOTIFY_SOCKET'] !== undefined };
}

function refuseNearMisses(env: NodeJS.ProcessEnv, prefix: string, known: ReadonlySet<string>): void {
  const rests = [...known].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  for (const name of Object.keys(env)) {
    if (!name.startsWith(prefix) || known.has(name)) continue;
    const near = nearest(name.slice(prefix.length), rests);
    if (near !== undefined)
      throw new ConfigError(`${name}: unknown variable; did you mean ${prefix}${near}?`);
  }
}
