import type { Machine } from './machine.ts';

/** The machine, its second address, and a node that is off, at an address of its network that nobody has. */
const members = JSON.stringify({
  nodename: 'pve1',
  version: 7,
  cluster: { name: 'lab', version: 3, nodes: 3, quorate: 1 },
  nodelist: {
    pve1: { id: 1, online: 1, ip: '10.0.2.15' },
    pve2: { id: 2, online: 1, ip: '127.0.0.2' },
    pve3: { id: 3, online: 0, ip: '10.0.2.77' },
  },
});

/**
 * Makes the machine a node of a cluster, with files as Proxmox VE lays them out when a node joins: members, host keys by node,
 * and root's key, known on all nodes. pve2 is the machine, too, at another address.
 */
export async function joinCluster(machine: Machine): Promise<void> {
  await machine.write('/etc/pve/.members', members);
  await machine.run(`
    mkdir -p -m 700 /etc/pve/priv
    mkdir -p /etc/pve/nodes/pve2 /etc/pve/nodes/pve3
    for node in pve2 pve3; do
      sed "s/^/$node /" /etc/ssh/ssh_host_rsa_key.pub >/etc/pve/nodes/$node/ssh_known_hosts
    done
    ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
    mv /root/.ssh/authorized_keys /etc/pve/priv/authorized_keys
    cat /root/.ssh/id_ed25519.pub >>/etc/pve/priv/authorized_keys
    ln -s /etc/pve/priv/authorized_keys /root/.ssh/authorized_keys
  `);
}
