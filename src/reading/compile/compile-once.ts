import type { FieldNode, FragmentDefinitionNode, SelectionNode, SelectionSetNode, ValueNode } from 'graphql';
import type { ReadContext } from '../read-plan.ts';
import { Sql } from '../sql.ts';

interface Compiled {
  readonly sql: Sql;
  /** How many aliases are in use after it. */
  readonly tableCount: number;
}

type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;
type Viewer = ReadContext['viewer'];

/**
 * The SQL of a selection, which is compiled once per document and place where the selection has no variables and directives: then it
 * is the same for every request, but for the id of the viewer. It is kept as long as the parsed document. `place` says what else the SQL
 * depends on.
 */
export function compileOnce(
  nodes: readonly FieldNode[],
  fragments: Fragments,
  place: string,
  viewer: Viewer,
  compile: (viewer: Viewer) => Compiled,
): Compiled {
  const [node] = nodes;
  if (!node || nodes.length > 1 || !isFixed(node, fragments)) return compile(viewer);
  const places = compiled.get(node) ?? new Map<string, Compiled>();
  compiled.set(node, places);
  const key = `${place} ${viewer ? 'signed in' : 'guest'}`;
  let known = places.get(key);
  if (!known) {
    const { sql, tableCount } = compile(viewer && (ANY_VIEWER as never));
    known = { sql: flatten(sql), tableCount };
    if (places.size === MAX_PLACES) places.clear();
    places.set(key, known);
  }
  return { sql: withViewer(known.sql, viewer), tableCount: known.tableCount };
}

const compiled = new WeakMap<FieldNode, Map<string, Compiled>>();
const MAX_PLACES = 20;

/** Its id is a parameter of the SQL that is kept. */
const ANY_VIEWER = { id: Symbol('id of the viewer') };

function withViewer({ texts, parts }: Sql, viewer: Viewer): Sql {
  return new Sql(
    texts,
    parts.map((part) => (part === ANY_VIEWER.id ? viewer?.id : part)),
  );
}

/** The same SQL as one fragment without fragments inside. */
function flatten(sql: Sql): Sql {
  const texts = [''];
  const parts: unknown[] = [];
  const add = (text: string) => {
    texts[texts.length - 1] += text;
  };
  const visit = (fragment: Sql): void => {
    add(fragment.texts[0] as string);
    for (const [index, part] of fragment.parts.entries()) {
      if (part instanceof Sql) visit(part);
      else {
        parts.push(part);
        texts.push('');
      }
      add(fragment.texts[index + 1] as string);
    }
  };
  visit(sql);
  return new Sql(texts, parts);
}

/** Whether neither variables nor directives decide what is selected. */
function isFixed(node: SelectionNode | FragmentDefinitionNode, fragments: Fragments): boolean {
  const known = fixed.get(node);
  if (known !== undefined) return known;
  const isFixedNow =
    node.directives?.length === 0 &&
    (node.kind !== 'Field' || !node.arguments?.some(({ value }) => hasVariable(value))) &&
    selectionsOf(node, fragments).every((each) => isFixed(each, fragments));
  fixed.set(node, isFixedNow);
  return isFixedNow;
}

const fixed = new WeakMap<SelectionNode | FragmentDefinitionNode, boolean>();

function selectionsOf(
  node: SelectionNode | FragmentDefinitionNode,
  fragments: Fragments,
): readonly (SelectionNode | FragmentDefinitionNode)[] {
  if (node.kind === 'FragmentSpread') return [fragments[node.name.value]].filter((each) => each !== undefined);
  return (node.selectionSet as SelectionSetNode | undefined)?.selections ?? [];
}

function hasVariable(value: ValueNode): boolean {
  if (value.kind === 'ListValue') return value.values.some(hasVariable);
  if (value.kind === 'ObjectValue') return value.fields.some((field) => hasVariable(field.value));
  return value.kind === 'Variable';
}
