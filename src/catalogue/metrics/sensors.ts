import { gauge } from '../metric.ts';
import type { MetricTable } from '../metric.ts';

const needs = 'a chip in /sys/class/hwmon; virtual machines have none';
const tooHot = [
  'A fan stands still or is full of dust, or what it blows through is blocked: see the fans in the view of sensors (key g).',
  'The air around the host is too warm.',
  'The hardware does more than its cooling is made for: see who causes it (key b).',
];

/** How hot it is: of a sensor, and of the one that is nearest to its limit for the host. */
const temperature = [
  gauge('sensor_temp', {
    title: 'TEMP',
    unit: 'degrees Celsius',
    source: '/sys/class/hwmon/*/temp*_input',
    formula: '/1000, every 10 s; of the host that of the sensor which is nearest to its limit',
    meaning:
      'Temperature of a sensor; of the host: the one nearest to its limit, or the highest if none has a limit.',
    needs,
    levels: '90/100',
    levelsIn: { to: 'sensor_temp_limit', scale: 100, unit: 'percent of sensor_temp_limit' },
    causes: tooHot,
  }),
  gauge('sensor_temp_limit', {
    title: 'LIMIT',
    unit: 'degrees Celsius',
    source: '/sys/class/hwmon/*/temp*_crit, temp*_max',
    formula:
      '/1000; temp*_crit, or temp*_max where there is none; what nobody set (0, 250 and more) is omitted',
    meaning: 'Temperature that the driver calls critical, or else too high.',
    needs,
  }),
];

/** Hardware monitoring of the host. */
export const sensors = {
  host: temperature,
  host_sensor: [
    ...temperature,
    gauge('sensor_fan', {
      title: 'FAN',
      unit: 'revolutions per minute',
      source: '/sys/class/hwmon/*/fan*_input',
      formula: 'every 10 s',
      meaning: 'Speed of the fan; 0 if it stands still.',
      needs,
    }),
  ],
} satisfies MetricTable;
