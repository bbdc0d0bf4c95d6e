import type { PackStep } from '../../config/pack-schema.ts';
import { flat } from '../row.ts';
import type { FieldTable, Row } from '../row.ts';

type RouteStep = Extract<PackStep, { route: unknown }>['route'];

const REMEMBERED_MAX = 10_000;
const SEGMENTS_MAX = 8;

/** The path of a URL as a route: the few shapes behind many paths. */
export function routeStep(step: RouteStep, fields: FieldTable): (row: Row) => void {
  const from = fields.declare(step.field);
  const to = fields.declare(step.to);
  const routeOf = compileRoutes(step.routes ?? [], step.otherwise);
  const known = new Map<string, string>();
  return (row) => {
    const value = row.values[from];
    if (value === undefined) return;
    const target = String(value);
    let route = known.get(target);
    if (route === undefined) {
      route = flat(routeOf(target));
      if (known.size < REMEMBERED_MAX) known.set(flat(target), route);
    }
    row.set(to, route);
  };
}

export function compileRoutes(
  routes: readonly string[],
  otherwise: RouteStep['otherwise'],
): (target: string) => string {
  const known = routes.map((route) => ({ route, segments: route.split('/') }));
  return (target) => {
    const path = pathOf(target);
    const segments = path.split('/');
    const found = known.find((one) => fits(one.segments, segments));
    if (found !== undefined) return found.route;
    return otherwise === 'other' ? 'other' : guess(segments);
  };
}

/** Without scheme and host, query and fragment. */
function pathOf(target: string): string {
  const scheme = target.indexOf('://');
  const start = scheme > 0 && scheme < 10 ? target.indexOf('/', scheme + 3) : 0;
  if (start < 0) return '/';
  const end = target.slice(start).search(/[?#;]/);
  return end < 0 ? target.slice(start) : target.slice(start, start + end);
}

/** `:name` takes one segment, a last `*` any rest. */
function fits(route: readonly string[], path: readonly string[]): boolean {
  for (let i = 0; i < route.length; i++) {
    if (route[i] === '*' && i === route.length - 1) return path.length > i;
    if (i >= path.length) return false;
    if (route[i]!.startsWith(':') ? path[i] === '' : route[i] !== '*' && route[i] !== path[i]) return false;
  }
  return route.length === path.length;
}

/** Numbers, UUIDs, hashes, dates, tokens: what stands for one thing among many. */
const NUMERIC = /^\d[\d._:-]*$/;
const HEXADECIMAL = /^[0-9a-fA-F]+$/;
const TOKEN = /^[A-Za-z0-9_-]+$/;
/** Names of versions and files have fewer digits: `v2`, `app.3f2a.js`. */
const DIGITS_MIN = 4;
const SEGMENT_MAX = 40;

function isIdentifier(segment: string): boolean {
  if (segment.length > SEGMENT_MAX || NUMERIC.test(segment)) return true;
  if (segment.length >= 12 && HEXADECIMAL.test(segment)) return true;
  if (segment.length >= 24 && TOKEN.test(segment)) return true;
  if (/[@%]/.test(segment)) return true;
  return !segment.includes('.') && (segment.match(/\d/g)?.length ?? 0) >= DIGITS_MIN;
}

function guess(segments: readonly string[]): string {
  const shapes = segments.map((segment) => (isIdentifier(segment) ? ':id' : segment));
  return shapes.length > SEGMENTS_MAX ? `${shapes.slice(0, SEGMENTS_MAX).join('/')}/*` : shapes.join('/');
}
