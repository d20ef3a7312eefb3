import { execFileSync } from 'node:child_process';
import { installed } from '../delivery/daemon.ts';
import { unpackedPackage } from '../lab/debian-packages.ts';

/** Decodes requests of OTLP to the text format of Protocol Buffers, with the definitions of OpenTelemetry that Debian 13 has. */
export class OtlpDecoder {
  private constructor(private readonly root: string) {}

  /** @throws Error where protoc or the definitions cannot be had */
  static async open(): Promise<OtlpDecoder> {
    if (!installed('protoc')) throw new Error('needs protobuf-compiler');
    return new OtlpDecoder(`${await unpackedPackage('trixie', 'opentelemetry-proto')}/usr/include`);
  }

  /** @throws Error for bytes that are no such message */
  text(request: Buffer): string {
    const service = 'opentelemetry/proto/collector/metrics/v1/metrics_service.proto';
    const message = 'opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest';
    return execFileSync('protoc', ['-I', this.root, `--decode=${message}`, service], {
      input: request,
      maxBuffer: 64 << 20,
    }).toString();
  }

  /** The metrics of a request by name: their text, on one line, blanks left out. */
  metrics(request: Buffer): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const part of this.text(request)
      .split(/^ {4}metrics \{$/m)
      .slice(1)) {
      const name = /^ {6}name: "([^"]*)"/m.exec(part)?.[1] ?? '';
      found.set(name, (found.get(name) ?? '') + part.replace(/\s+/g, ' ').replace(/\} \} \} $/, ''));
    }
    return found;
  }
}
