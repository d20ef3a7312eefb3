/** Fields of the messages WriteRequest, TimeSeries, Label, Sample and MetricMetadata of remote write 1.0. */
export const TIMESERIES = 1;
export const LABELS = 1;
export const SAMPLES = 2;
export const LABEL_NAME = 1;
export const LABEL_VALUE = 2;
export const VALUE = 1;
export const TIMESTAMP = 2;
export const METADATA = 3;
export const METADATA_TYPE = 1;
export const METADATA_NAME = 2;
export const METADATA_HELP = 4;
export const METADATA_UNIT = 5;

/** MetricMetadata.MetricType. */
export const metricTypes = { counter: 1, gauge: 2, histogram: 3 } as const;

/** Bytes of a value with its tag. */
export const valueBytes = 9;
