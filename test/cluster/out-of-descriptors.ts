/** Connects to a node while no descriptor is left, then ends; prints what is told of the node. For ssh-source.test.ts. */
import { closeSync, openSync } from 'node:fs';
import { parseHosts } from '../../src/cluster/hosts-list.ts';
import { SshSource } from '../../src/cluster/ssh/ssh-source.ts';

const taken: number[] = [];
try {
  for (;;) taken.push(openSync('/dev/null', 'r'));
} catch {
  // None is left.
}
for (const address of parseHosts('localhost')) {
  const source = new SshSource(address);
  source.onNews = () => {
    for (const descriptor of taken.splice(0)) closeSync(descriptor);
    const state = source.state();
    process.stdout.write(state.kind === 'trouble' ? state.trouble.text : state.kind);
    void source.close();
  };
}
