/** The part of sd-notify that is used; the package has no types. */
declare module 'sd-notify' {
  const sdNotify: {
    /** Sends assignments, one a line (sd_notify(3)), to the service manager. */
    readonly sendState: (state: string) => void;
  };
  export default sdNotify;
}
