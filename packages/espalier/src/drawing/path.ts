export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A piece of a path, starting at the end of the previous piece: a straight line or a cubic Bézier curve. */
type Segment =
  | { readonly kind: 'line'; readonly to: Point }
  | { readonly kind: 'curve'; readonly control1: Point; readonly control2: Point; readonly to: Point };

export interface Path {
  readonly start: Point;
  readonly segments: readonly Segment[];
}

// With its control points at this fraction of the radius from the ends, a cubic matches a quarter circle to 0.03%.
const quarterCircle = 0.5523;

function between(from: Point, to: Point, share: number): Point {
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

/** The polyline through `points` with rounded corners. A corner radius never exceeds half of an adjacent side. */
export function roundedPath(points: readonly Point[], radius: number): Path {
  const segments: Segment[] = [];
  for (let i = 1; i + 1 < points.length; i++) {
    const [before, corner, after] = [points[i - 1]!, points[i]!, points[i + 1]!];
    const sideIn = Math.hypot(corner.x - before.x, corner.y - before.y);
    const sideOut = Math.hypot(after.x - corner.x, after.y - corner.y);
    const r = Math.min(radius, sideIn / 2, sideOut / 2);
    const from = between(corner, before, r / sideIn);
    const to = between(corner, after, r / sideOut);
    segments.push({ kind: 'line', to: from });
    segments.push({
      kind: 'curve',
      control1: between(from, corner, quarterCircle),
      control2: between(to, corner, quarterCircle),
      to,
    });
  }
  segments.push({ kind: 'line', to: points[points.length - 1]! });
  return { start: points[0]!, segments };
}

/** A segment down from `from` to `to` that leaves and arrives vertically. */
export function descent(from: Point, to: Point): Segment {
  if (from.x === to.x) return { kind: 'line', to };
  const middle = (from.y + to.y) / 2;
  return { kind: 'curve', control1: { x: from.x, y: middle }, control2: { x: to.x, y: middle }, to };
}
