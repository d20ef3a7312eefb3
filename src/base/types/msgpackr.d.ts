// The type declarations that msgpackr ships for these two, which never look for its native addon, do not resolve.
declare module 'msgpackr/pack' {
  export { Packr } from 'msgpackr';
}
declare module 'msgpackr/unpack' {
  export { Unpackr } from 'msgpackr';
}
