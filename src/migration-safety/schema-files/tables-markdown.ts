import type { Catalog, CatalogObject } from '../catalog/catalog.ts';
import { columnDefault, shortType } from '../catalog/definitions.ts';
import { isSerial } from '../plan/serial.ts';
import { inStableOrder } from './database-sql.ts';

/** The tables and their columns for readers, in Markdown, with the comments of the database as descriptions. */
export function tablesMarkdown(catalog: Catalog): string {
  const objects = [...inStableOrder(catalog).values()];
  const tables = objects.filter(({ kind, row }) => kind === 'table' && !row.bound);
  const descriptionOf = ({ id }: CatalogObject) => String(catalog.get(`comment on ${id}`)?.row.text ?? '');
  const columnsOf = ({ id }: CatalogObject) => objects.filter((each) => each.kind === 'column' && each.parent === id);
  const overview = tables.map((each) => [
    `[${nameOf(each)}](#${anchor(nameOf(each))})`,
    String(columnsOf(each).length),
    descriptionOf(each),
  ]);
  const sections = tables.map((each) => {
    const constraints = objects.filter(({ kind, parent }) => kind === 'constraint' && parent === each.id);
    const columns = columnsOf(each).map((column) => [
      `\`${column.name}\``,
      typeOf(column, catalog),
      defaultOf(column, catalog),
      [...keysOf(column, constraints), descriptionOf(column)].filter(Boolean).join('. '),
    ]);
    const description = descriptionOf(each);
    return [
      `## ${nameOf(each)}`,
      ...(description ? [escaped(description)] : []),
      table(['column', 'type', 'default', 'description'], columns),
    ].join('\n\n');
  });
  return `${[HEADER, table(['table', 'columns', 'description'], overview), ...sections].join('\n\n')}\n`;
}

const HEADER = `# Tables

The tables that the migrations make. Descriptions are comments of the database. Written by \`migration:create\`; to write it again:
\`npm run migration repair\`.`;

const nameOf = ({ id }: CatalogObject) => id.replace(/^table /, '');

/** As GitHub makes it from a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');

function typeOf(column: CatalogObject, catalog: Catalog): string {
  const type = isSerial(column, catalog) ? 'serial' : shortType(String(column.row.type));
  return `${type}${column.row.required ? '' : ', optional'}`;
}

function defaultOf(column: CatalogObject, catalog: Catalog): string {
  const { generated, identity, default: text } = column.row;
  if (generated) return `computed: \`${text}\``;
  if (identity) return 'counted';
  return !text || isSerial(column, catalog) ? '' : `\`${columnDefault(column.row)}\``;
}

/** Its part in keys, and what it refers to. */
function keysOf(column: CatalogObject, constraints: CatalogObject[]): string[] {
  return constraints
    .filter(({ row }) => /[puf]/.test(String(row.type)) && (row.columns as string[]).includes(column.name))
    .map(({ row }) => {
      const whole = (row.columns as string[]).length > 1 ? 'part of ' : '';
      if (row.type !== 'f') return `${whole}${row.type === 'p' ? 'primary key' : 'unique'}`;
      return `${whole && 'part of a key that '}refers to ${/ REFERENCES ([^(]+)\(/.exec(String(row.text))?.[1]}`;
    });
}

/** In the layout that formatters keep: cells as wide as the widest of their column. */
function table(head: string[], rows: string[][]): string {
  const cells = [head, ...rows].map((row) => row.map(escaped));
  const widths = head.map((_, i) => Math.max(3, ...cells.map((row) => [...(row[i] ?? '')].length)));
  const line = (row: string[]) =>
    `| ${row.map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - [...cell].length)).join(' | ')} |`;
  const [first = [], ...others] = cells;
  return [line(first), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)].join('\n');
}

const escaped = (text: string) => text.replaceAll('|', '\\|').replace(/\s+/g, ' ').trim();
