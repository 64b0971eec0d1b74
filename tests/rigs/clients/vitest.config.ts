import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import conduit from '../../../vitest.config.ts';

/** The real clients against the real server. Replaces Relay's tags by what its compiler wrote, as babel-plugin-relay does. */
const relay: Plugin = {
  name: 'relay',
  transform(code, file) {
    if (!file.endsWith('relay.ts')) return;
    const imports: string[] = [];
    const compiled = code.replace(/graphql`\s*\w+ (\w+)[^`]*`/g, (_tag, name) => {
      imports.push(`import ${name} from './__generated__/${name}.graphql.ts';`);
      return name;
    });
    return { code: [...imports, compiled].join('\n') };
  },
};

export default defineConfig((environment) => {
  const { test, ...rest } = conduit(environment);
  return { ...rest, plugins: [relay], test: { ...test, include: ['tests/rigs/clients/*.client.test.ts'] } };
});
