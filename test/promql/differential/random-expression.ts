import type { Random } from './random.ts';

const RANGES = ['1m', '2m', '5m', '10m', '15m', '30m', '1h'];
const SHORT = ['1m', '5m', '10m'];
const COUNTERS = [
  'http_requests_total',
  'http_requests_total{status=~"5.."}',
  'http_requests_total{status!="200",method="GET"}',
  'node_cpu_seconds_total{mode="idle"}',
  'node_cpu_seconds_total{mode!~"idle|iowait"}',
  'http_request_duration_seconds_count',
];
const GAUGES = [
  'node_load1',
  'queue_depth',
  'temperature_celsius',
  'node_memory_MemAvailable_bytes',
  'node_filesystem_avail_bytes{mountpoint="/"}',
  'up',
];
const LABELS = ['job', 'instance', 'job, instance', 'status', 'method, job', 'mode', 'cpu'];
const AGGREGATES = ['sum', 'avg', 'min', 'max', 'count', 'stddev', 'stdvar', 'group'];
const COMPARE = ['>', '<', '>=', '<=', '==', '!='];
const OVER_TIME = ['avg', 'min', 'max', 'sum', 'count', 'stddev', 'stdvar', 'last', 'present'];

/** An expression in the shape of one of the alert rules that people write, with its parts picked at random. */
export function randomExpression(random: Random): string {
  return random.of(SHAPES)(random);
}

type Shape = (random: Random) => string;

const range: Shape = (r) => r.of(RANGES);
const short: Shape = (r) => r.of(SHORT);
const counter: Shape = (r) => r.of(COUNTERS);
const gauge: Shape = (r) => r.of(GAUGES);
const grouping: Shape = (r) => `${r.of(['by', 'without'])} (${r.of(LABELS)})`;
const compare: Shape = (r) => r.of(COMPARE);
const offset: Shape = (r) => (r.chance(0.3) ? ` offset ${r.of(['1m', '7m', '20m'])}` : '');
const limit: Shape = (r) => String(r.of([0, 0.05, 0.5, 1, 5, 20, 100, 1e9]));
const rate: Shape = (r) =>
  `${r.of(['rate', 'increase', 'irate', 'rate', 'increase'])}(${counter(r)}[${range(r)}]${offset(r)})`;
const over: Shape = (r) => `${r.of(OVER_TIME)}_over_time(${gauge(r)}[${range(r)}]${offset(r)})`;

const SHAPES: readonly Shape[] = [
  // A threshold on a rate, a sum, a gauge.
  (r) => `${rate(r)} ${compare(r)} ${limit(r)}`,
  (r) => `sum ${grouping(r)} (${rate(r)}) ${compare(r)} ${limit(r)}`,
  (r) => `${r.of(AGGREGATES)} ${grouping(r)} (${gauge(r)}${offset(r)})`,
  (r) => `${r.of(AGGREGATES)}(${over(r)}) ${compare(r)} bool ${limit(r)}`,
  (r) => `${over(r)} ${compare(r)} ${limit(r)}`,
  (r) => `${gauge(r)}${offset(r)} ${compare(r)} ${limit(r)}`,
  // Ratios: errors, memory, disk, cpu.
  (r) =>
    `sum by (job) (rate(http_requests_total{status=~"${r.of(['5..', '4..|5..', '404'])}"}[${range(r)}])) / sum by (job) (rate(http_requests_total[${range(r)}])) * 100 > ${r.of([0, 1, 3, 5])}`,
  (r) =>
    `(1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes) * 100 ${compare(r)} ${r.of([50, 80, 90])}`,
  (r) =>
    `100 - (avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[${range(r)}])) * 100) > ${r.of([10, 20, 80])}`,
  (r) =>
    `node_filesystem_avail_bytes / node_filesystem_size_bytes * 100 < ${r.of([20, 50, 80])} and on (instance, device, mountpoint) node_load1 * on (instance) group_right node_filesystem_size_bytes > 0`,
  // The future, from the past.
  (r) =>
    `predict_linear(node_filesystem_avail_bytes[${range(r)}]${offset(r)}, ${r.of(['4 * 3600', '86400'])}) < 0`,
  (r) =>
    `node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.${r.whole(1, 9)} and predict_linear(node_filesystem_avail_bytes{mountpoint="/data"}[${range(r)}], 24 * 3600) < ${r.of(['0', '1e11'])}`,
  (r) => `deriv(${gauge(r)}[${range(r)}]) ${compare(r)} 0`,
  (r) => `delta(${gauge(r)}[${range(r)}]${offset(r)}) ${compare(r)} ${limit(r)}`,
  (r) => `idelta(${gauge(r)}[${short(r)}])`,
  // Joins.
  (r) => `${gauge(r)} * on (instance) group_left (nodename) node_uname_info`,
  (r) =>
    `sum by (instance) (rate(node_cpu_seconds_total[${range(r)}])) ${r.of(['*', '/', '+'])} on (instance) group_left (nodename) node_uname_info`,
  (r) =>
    `rate(http_request_duration_seconds_sum[${range(r)}]) / rate(http_request_duration_seconds_count[${range(r)}])`,
  (r) =>
    `http_requests_total ${r.of(['+', '-', '>', '<'])} ignoring (status) group_left http_requests_total{status="${r.of(['200', '404'])}"}`,
  (r) =>
    `${gauge(r)} ${r.of(['and', 'unless', 'or'])} ${r.of(['', 'on (instance) ', 'ignoring (queue) '])}${gauge(r)} ${compare(r)} ${limit(r)}`,
  (r) => `up == 0 unless on (job) (${r.of(['count', 'sum'])} by (job) (up) > ${r.whole(0, 3)})`,
  (r) => `${gauge(r)} ${compare(r)} bool on (instance) ${gauge(r)}`,
  (r) => `max by (job) (queue_depth) > 2 * avg by (job) (queue_depth${offset(r)})`,
  // Absence, restarts, flapping.
  (r) =>
    `absent(${r.of(['up{job="shop"}', 'up{job="gone"}', 'queue_depth{queue="orders",job="x"}', 'nothing'])})`,
  (r) => `absent_over_time(${r.of(['up{job="mail"}', 'nothing{a="b"}', 'queue_depth'])}[${range(r)}])`,
  (r) =>
    `changes(${r.of(['process_start_time_seconds', 'up', 'last_success_timestamp_seconds'])}[${range(r)}]) > ${r.whole(0, 3)}`,
  (r) => `resets(${counter(r)}[${range(r)}]) > 0`,
  (r) => `time() - last_success_timestamp_seconds > ${r.of([60, 600, 3600])}`,
  (r) => `count by (job) (up == 0) / count by (job) (up) > ${limit(r)}`,
  // Quantiles, ranks.
  (r) =>
    `histogram_quantile(0.${r.of([5, 9, 95, 99])}, sum by (${r.of(['le', 'le, job', 'le, instance'])}) (rate(http_request_duration_seconds_bucket[${range(r)}]))) > ${r.of(['0', '0.5', '1'])}`,
  (r) => `quantile ${grouping(r)} (0.${r.whole(1, 9)}, ${gauge(r)})`,
  (r) => `quantile_over_time(0.${r.whole(1, 9)}, ${gauge(r)}[${range(r)}])`,
  (r) =>
    `${r.of(['topk', 'bottomk'])}(${r.whole(1, 4)}, ${r.of(['node_load1', 'queue_depth', 'temperature_celsius'])})`,
  (r) => `topk by (job) (1, rate(http_requests_total[${range(r)}]))`,
  (r) => `count_values ${grouping(r)} ("value", up)`,
  // Subqueries, steps of their own.
  (r) =>
    `max_over_time(rate(http_requests_total[${short(r)}])[${r.of(['10m', '30m'])}:${r.of(['1m', '30s', '2m'])}])`,
  (r) =>
    `${r.of(['avg', 'min', 'max', 'sum', 'count'])}_over_time((${gauge(r)} ${compare(r)} ${limit(r)})[${r.of(['10m', '30m'])}:1m])`,
  (r) => `quantile_over_time(0.9, sum by (job) (rate(http_requests_total[${short(r)}]))[20m:1m]${offset(r)})`,
  // Deviations from the usual.
  (r) => `abs(${gauge(r)} - avg_over_time(${gauge(r)}[${range(r)}])) > 2 * stddev_over_time(node_load1[30m])`,
  (r) => `(${rate(r)} - ${rate(r)}) / ${rate(r)} ${compare(r)} ${limit(r)}`,
  (r) =>
    `sum(rate(http_requests_total[${short(r)}])) / sum(rate(http_requests_total[${short(r)}] offset ${r.of(['10m', '30m'])})) < 0.${r.whole(1, 9)}`,
  // Functions of one value.
  (r) =>
    `${r.of(['abs', 'ceil', 'floor', 'exp', 'ln', 'log2', 'log10', 'sqrt', 'sgn', 'round'])}(${gauge(r)})`,
  (r) => `round(${gauge(r)}, ${r.of(['0.1', '5', '100'])})`,
  (r) => `clamp(${gauge(r)}, ${r.of(['0', '-5'])}, ${r.of(['10', '1e9'])})`,
  (r) => `${r.of(['clamp_min', 'clamp_max'])}(${rate(r)}, ${limit(r)})`,
  (r) => `scalar(${r.of(['sum(up)', 'up', 'queue_depth{job="shop"}'])}) ${compare(r)} bool ${limit(r)}`,
  (r) => `vector(${limit(r)}) ${r.of(['+', '-', '*', '/', '%', '^'])} ${limit(r)}`,
  (r) =>
    `${r.of(['hour', 'minute', 'day_of_week', 'day_of_month', 'days_in_month', 'month', 'year'])}(${r.of(['', 'last_success_timestamp_seconds'])})`,
  (r) =>
    `timestamp(${r.of(['up', 'queue_depth', 'node_load1'])}) ${compare(r)} ${r.of(['0', 'time() - 10'])}`,
  (r) => `label_replace(${gauge(r)}, "${r.of(['host', 'job', 'instance'])}", "$1", "instance", "(.*):.*")`,
  (r) => `label_join(${gauge(r)}, "id", "-", "job", "instance")`,
  (r) => `-${gauge(r)} ${r.of(['%', '^', '*'])} ${r.of(['2', '3.5', '-1'])}`,
  // As of another time.
  (r) => `${gauge(r)} - ${gauge(r)} offset ${r.of(['1m', '10m'])}`,
  (r) => `rate(http_requests_total[${short(r)}] @ end()) > ${limit(r)}`,
  (r) => `sum by (job) (${gauge(r)} @ start())`,
  // What must be refused, alike.
  (r) =>
    r.of([
      'sum(rate(up))',
      'up[5m] > 1',
      'rate(up[5m]',
      'topk("a", up)',
      'up + on (job) group_left queue_depth{',
      'foo bar',
    ]),
];
