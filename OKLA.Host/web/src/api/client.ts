import { accessToken } from '../session/token';

/** An answer that is not a success: RFC 9457 problem details, as far as the server gave them. */
export class Problem extends Error {
  constructor(
    /** HTTP status; 0 when the server was not reached. */
    readonly status: number,
    readonly title: string | null,
    readonly detail: string | null,
  ) {
    super(title ?? `HTTP ${status}`);
  }
}

/** Asks the API for JSON. Throws {@link Problem} for everything that is not a success. */
export async function request<Body>(path: string, init: RequestInit = {}): Promise<Body> {
  const headers = new Headers(init.headers);
  headers.set('Accept', 'application/json');
  if (init.body !== undefined && init.body !== null) headers.set('Content-Type', 'application/json');
  const token = accessToken();
  if (token !== null) headers.set('Authorization', `Bearer ${token}`);

  let response: Response;
  try {
    response = await fetch(path, { ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem(0, null, null);
  }
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as Body;
}

async function problemOf(response: Response): Promise<Problem> {
  if (!/json/.test(response.headers.get('Content-Type') ?? '')) return new Problem(response.status, null, null);
  const body = (await response.json()) as { title?: unknown; detail?: unknown };
  return new Problem(response.status, textOf(body.title), textOf(body.detail));
}

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
