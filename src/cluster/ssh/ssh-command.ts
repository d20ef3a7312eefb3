import type { NodeAddress } from '../node-source.ts';

/**
 * The command on a node: all metrics, once a second. It is the same for each node, and no part of it comes from outside;
 * the words mean the same to every login shell. `exec`, so that it is proxtop whose end ssh tells.
 */
export const REMOTE_COMMAND = [
  'exec proxtop --changes --printer=msgpack --output=stdout --frequency=1 --verbose --devices',
  '--cpu --mem --disk --net --io --pressure --host --sensors --energy',
].join(' ');

/** Seconds until an address that does not answer counts as down. */
const CONNECT_TIMEOUT = 5;

/**
 * The arguments of ssh, which must not prompt: nobody can answer. For nodes of a Proxmox cluster they are those of
 * Proxmox's own tools (PVE/SSHInfo.pm): the key is that of the node's name, whatever its address.
 *
 * @param file of the configuration of ssh instead of those of the user and the machine
 */
export function sshArguments({ user, host, port, member, name }: NodeAddress, file?: string): string[] {
  return [
    ...(file === undefined ? [] : ['-F', file]),
    ...['-e', 'none', '-T', '-x', '-a'],
    ...options({
      BatchMode: 'yes',
      ConnectTimeout: CONNECT_TIMEOUT,
      ServerAliveInterval: 5,
      ServerAliveCountMax: 3,
      // A connection shared with another user of it would outlive this view, or end with it.
      ControlMaster: 'no',
      ControlPath: 'none',
      ClearAllForwardings: 'yes',
      PermitLocalCommand: 'no',
      ...(member === undefined ? {} : { HostKeyAlias: name }),
      ...(member?.knownHosts === undefined
        ? {}
        : { UserKnownHostsFile: quoted(member.knownHosts), GlobalKnownHostsFile: 'none' }),
    }),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(user === undefined ? [] : ['-l', user]),
    ...['--', host, REMOTE_COMMAND],
  ];
}

function options(values: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/** A path as ssh_config(5) reads it: a list of words, in which a percent sign begins a token. */
function quoted(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}
