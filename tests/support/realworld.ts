import { address } from './test-server.ts';

/** One call of RealWorld's REST API, e.g. `GET /articles/feed`, through HTTP. */
export async function rest(call: string, { token, body, headers = {} }: Sent = {}): Promise<Response> {
  const [method = '', path = ''] = call.split(' ');
  const sends = body !== undefined && method !== 'GET';
  const response = await fetch(`${address}/api${path}`, {
    method,
    headers: {
      ...(sends && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Token ${token}` }),
      ...headers,
    },
    ...(sends && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, ...(text !== '' && { body: JSON.parse(text) }) };
}

interface Sent {
  token?: string;
  /** Sent as JSON, or as it is if it is a text. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Response {
  status: number;
  body?: any;
}
