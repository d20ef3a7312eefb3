/** The error that libvirt answered instead of a result (virError of libvirt/virterror.h). */
export class LibvirtError extends Error {
  override readonly name = 'LibvirtError';

  /**
   * @param code what went wrong (virErrorNumber): 42 no such domain, 68 timeout, 38 system error, ...
   * @param domain which part of libvirt says so (virErrorDomain): 7 rpc, 10 qemu, 60 polkit, ...
   * @param message libvirt's words, ready to show
   * @param level 1 warning, 2 error
   */
  constructor(
    readonly code: number,
    readonly domain: number,
    message: string,
    readonly level: number,
  ) {
    super(message);
  }
}

/**
 * Why a connection could not be made or used. uri: the URI is malformed; unsupported: valid, but not something this
 * program speaks; unreachable: nothing answers there; denied: it refuses us; protocol: it is not libvirt, or breaks
 * the protocol; timeout: no answer in time; closed: the connection ended.
 */
type ConnectionTrouble = 'uri' | 'unsupported' | 'unreachable' | 'denied' | 'protocol' | 'timeout' | 'closed';

/** A connection to libvirt that could not be made, or a call that got no answer. The message names the peer. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';

  constructor(
    readonly trouble: ConnectionTrouble,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
