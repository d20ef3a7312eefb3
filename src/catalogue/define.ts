import { entities } from './entities.ts';
import type { Scope } from './entities.ts';

export type { Scope };

/** Every scope, in the order of the catalogue. */
export const scopes = Object.keys(entities) as readonly Scope[];

/** Something for each scope. */
export type PerScope<T> = Readonly<Record<Scope, T>>;

/** Makes something for each scope. */
export function perScope<T>(make: (scope: Scope) => T): PerScope<T> {
  return Object.fromEntries(scopes.map((scope) => [scope, make(scope)])) as PerScope<T>;
}
