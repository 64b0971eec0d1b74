import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DocumentNode, Kind, parse, print, visit } from 'graphql';
import { expect, test } from 'vitest';

// But for those that the server itself runs: RealWorld's REST answers have an `id` that is not Relay's.
test("Relay's compiler accepts the schema and every operation published for clients", () => {
  const project = mkdtempSync(join(tmpdir(), 'conduit-relay-'));
  mkdirSync(join(project, 'src'));
  const files = readdirSync('schema/operations').filter((file) => file !== 'rest.graphql');
  const published = parse(files.map((file) => readFileSync(`schema/operations/${file}`, 'utf8')).join('\n'));
  const { definitions } = withAliases(published);
  const tags = definitions.map((definition) => `graphql\`${print(definition)}\`;`);
  writeFileSync(join(project, 'src/operations.ts'), tags.join('\n'));
  const config = JSON.parse(readFileSync('tests/rigs/clients/relay.config.json', 'utf8'));
  const schema = 'schema.graphql';
  copyFileSync('schema/schema.graphql', join(project, schema));
  writeFileSync(join(project, 'relay.config.json'), JSON.stringify({ ...config, src: 'src', schema }));

  execFileSync(process.execPath, [join(import.meta.dirname, 'node_modules/relay-compiler/cli.js')], { cwd: project });
  expect(readdirSync(join(project, 'src/__generated__'))).toHaveLength(definitions.length);
  rmSync(project, { recursive: true });
});

/** Relay wants its `@alias`, which no other client knows, on the fragments of a member of a union. */
const withAliases = (document: DocumentNode): DocumentNode =>
  visit(document, {
    [Kind.INLINE_FRAGMENT]: ({ selectionSet, ...rest }) => ({
      ...rest,
      selectionSet: {
        ...selectionSet,
        selections: selectionSet.selections.map((each) =>
          each.kind === Kind.FRAGMENT_SPREAD ? { ...each, directives: [ALIAS] } : each,
        ),
      },
    }),
  });

const ALIAS = { kind: Kind.DIRECTIVE, name: { kind: Kind.NAME, value: 'alias' } } as const;
