/** Field numbers of OTLP (opentelemetry-proto 1.5, collector/metrics/v1 and metrics/v1), as far as we write them. */
export const field = {
  request: { resourceMetrics: 1 },
  resourceMetrics: { resource: 1, scopeMetrics: 2 },
  resource: { attributes: 1 },
  scopeMetrics: { scope: 1, metrics: 2 },
  scope: { name: 1 },
  metric: { name: 1, description: 2, unit: 3, gauge: 5, sum: 7, histogram: 9 },
  data: { points: 1, temporality: 2, isMonotonic: 3 },
  point: { start: 2, time: 3, value: 4, attributes: 7 },
  histogramPoint: { start: 2, time: 3, count: 4, sum: 5, bucketCounts: 6, bounds: 7, attributes: 9 },
  keyValue: { key: 1, value: 2 },
  anyValue: { text: 1 },
} as const;

/** AggregationTemporality: what a sum tells is all since its start. */
export const CUMULATIVE = 2;
