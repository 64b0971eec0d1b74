import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** GraphiQL, served from this server: large files with hashed names, so that browsers cache them forever. */
export interface Asset {
  readonly url: string;
  readonly type: string;
  readonly gzipped: Buffer;
}

export type AssetName = 'graphiql.js' | 'graphiql.css' | 'editor.js' | 'json.js' | 'graphql.js';
export type Assets = Readonly<Record<AssetName, Asset>>;

/** Loaded on first use: 9 MB that most processes never need. */
export function playgroundAssets(): Promise<Assets> {
  loading ??= load();
  return loading;
}

let loading: Promise<Assets> | undefined;

async function load(): Promise<Assets> {
  const bundle = await import('@graphql-yoga/render-graphiql/graphiql');
  const texts: Record<AssetName, string> = {
    'graphiql.js': bundle.js,
    'graphiql.css': bundle.css,
    'editor.js': bundle.editorWorkerService,
    'json.js': bundle.jsonWorker,
    'graphql.js': bundle.graphqlWorker,
  };
  const entries = Object.entries(texts).map(async ([name, text]) => [name, await asset(name, text)] as const);
  return Object.fromEntries(await Promise.all(entries)) as Assets;
}

async function asset(name: string, text: string): Promise<Asset> {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const [stem, extension] = name.split('.');
  return {
    url: `/playground/${stem}.${hash}.${extension}`,
    type: extension === 'css' ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8',
    gzipped: await promisify(gzip)(text),
  };
}
