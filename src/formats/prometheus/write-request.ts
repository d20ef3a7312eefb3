/** Fields of the messages WriteRequest, TimeSeries, Label and Sample of remote write 1.0. */
export const TIMESERIES = 1;
export const LABELS = 1;
export const SAMPLES = 2;
export const LABEL_NAME = 1;
export const LABEL_VALUE = 2;
export const VALUE = 1;
export const TIMESTAMP = 2;

/** Bytes of a value with its tag. */
export const valueBytes = 9;
