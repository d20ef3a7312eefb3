/** Watches the node whose address is the argument, until it is killed; says when samples come. */
import { SshSource } from '../../src/cluster/ssh/ssh-source.ts';
import type { NodeAddress } from '../../src/cluster/node-source.ts';

const source = new SshSource(JSON.parse(process.argv[2] ?? '') as NodeAddress);
source.onNews = () => {
  if (source.state().kind === 'streaming') console.log('a sample');
};
