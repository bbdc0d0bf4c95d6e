/** What a token allows: to send data, to read it, to see and silence alerts, or everything. */
export const ROLES = ['send', 'read', 'alert', 'admin'] as const;

export type Role = (typeof ROLES)[number];

/** What a route asks for: nothing at all, or a token with one of these roles. `admin` has all of them. */
export type RouteNeed = 'open' | readonly Role[];
