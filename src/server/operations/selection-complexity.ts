import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  SchemaMetaFieldDef,
  type SelectionNode,
  type SelectionSetNode,
  TypeMetaFieldDef,
  valueFromASTUntyped,
} from 'graphql';
import { DEFAULT_PAGE_SIZE, MAX_OFFSET, MAX_PAGE_SIZE } from '../../reading/page-args.ts';
import { SCAN_COST } from '../../reading/scan-cost.ts';

/** The size of a part of an operation with its fragments expanded. Selections under `@skip` and `@include` always count. */
export interface SelectionComplexity {
  /** Nesting depth of fields. */
  readonly depth: number;
  /**
   * One for each field, multiplied by the maximum number of items of each list above it. A list's extensions say what it costs
   * to scan all its rows: to count them, or to apply a filter. A field that takes longer than others states its `cost`.
   */
  readonly cost: number;
  /** Maximum characters of long texts in the response; fields declare their maximum in their extensions. */
  readonly text: number;
  readonly aliases: number;
  readonly directives: number;
  /** The cost of introspection, counted apart because tools request nearly all of it at once. */
  readonly introspection: number;
  /** Fields at its top level. */
  readonly fields: number;
  /** Inside a connection: the number of total counts; the field above knows the cost of one. */
  readonly counts: number;
  /** Inside a connection: the cost of one item; the field above knows the page size. */
  readonly perItem: number;
  readonly textPerItem: number;
}

/** Takes time linear in the length of the document, since each fragment is measured only once. */
export class SelectionMeasurer {
  readsVariables = false;
  private readonly fragments = new Map<string, FragmentDefinitionNode>();
  private readonly measured = new Map<string, SelectionComplexity>();

  constructor(
    document: DocumentNode,
    private readonly schema: GraphQLSchema,
    private readonly variables: Readonly<Record<string, unknown>>,
  ) {
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.fragments.set(definition.name.value, definition);
    }
  }

  selections({ selections }: SelectionSetNode, type: Type): SelectionComplexity {
    return selections.reduce((sum, selection) => add(sum, this.selection(selection, type)), NOTHING);
  }

  private selection(node: SelectionNode, type: Type): SelectionComplexity {
    const directives = { ...NOTHING, directives: node.directives?.length ?? 0 };
    switch (node.kind) {
      case Kind.FIELD:
        return add(directives, this.field(node, type));
      case Kind.INLINE_FRAGMENT:
        return add(
          directives,
          this.selections(node.selectionSet, this.typeNamed(node.typeCondition?.name.value) ?? type),
        );
      case Kind.FRAGMENT_SPREAD:
        return add(directives, this.fragment(node.name.value));
    }
  }

  private fragment(name: string): SelectionComplexity {
    const known = this.measured.get(name);
    if (known) return known;
    this.measured.set(name, NOTHING); // ends cycles of fragments, which validation rejects
    const fragment = this.fragments.get(name);
    const part = fragment
      ? this.selections(fragment.selectionSet, this.typeNamed(fragment.typeCondition.name.value))
      : NOTHING;
    this.measured.set(name, part);
    return part;
  }

  private field(node: FieldNode, parent: Type): SelectionComplexity {
    const field = fieldOf(parent, node.name.value);
    const below = node.selectionSet ? this.selections(node.selectionSet, field && getNamedType(field.type)) : NOTHING;
    const text = below.text + Number(field?.extensions.maxCharacters ?? 0);
    const counts = node.name.value === 'totalCount' ? 1 : 0;
    const aliases = below.aliases + (node.alias ? 1 : 0);
    const whole = { ...below, fields: 1, counts, depth: below.depth + 1, aliases, text };
    if (field === SchemaMetaFieldDef || field === TypeMetaFieldDef) {
      return { ...whole, depth: 1, cost: 1, introspection: below.cost };
    }
    const isList = field !== undefined && isListType(getNullableType(field.type));
    if (isList && isConnection(parent)) return { ...whole, cost: 1, perItem: below.cost, text: 0, textPerItem: text };
    const items = isList ? Number(field.extensions.maxItems ?? this.maxItems(node)) : 1;
    const pageSize = this.pageSize(node);
    const scanCost = Number(field?.extensions.scanCost ?? 0);
    const scans = scanCost && scanCost * this.scanCount(node, below) + this.searchCost(node);
    return {
      ...whole,
      cost: cap(
        1 +
          Number(field?.extensions.cost ?? 0) +
          this.offsetCost(node) +
          scans +
          items * below.cost +
          pageSize * below.perItem,
      ),
      perItem: 0,
      text: cap(items * text + pageSize * below.textPerItem),
      textPerItem: 0,
    };
  }

  private pageSize(node: FieldNode): number {
    const given = ['first', 'last'].map((name) => this.argument(node, name)).filter(Number.isInteger) as number[];
    return clampPageSize(given.length > 0 ? Math.max(...given) : DEFAULT_PAGE_SIZE);
  }

  /** One for each total count, and at least one for a filter. A field without a selection is a count itself. */
  private scanCount(node: FieldNode, { counts }: SelectionComplexity): number {
    const isScanned = !node.selectionSet || ['filter', 'prefix'].some((name) => this.argument(node, name));
    return Math.max(counts, isScanned ? 1 : 0);
  }

  /** Of a list with a query, its own or that of its filter. */
  private searchCost(node: FieldNode): number {
    const filter = this.argument(node, 'filter') as { query?: unknown } | null | undefined;
    const query = this.argument(node, 'query') ?? filter?.query;
    return typeof query === 'string' && query.trim() !== '' ? SCAN_COST.search : 0;
  }

  /** Skipped rows are read all the same. A larger offset than the maximum is rejected during execution. */
  private offsetCost(node: FieldNode): number {
    const offset = this.argument(node, 'offset');
    return typeof offset === 'number' && offset > 0 && offset <= MAX_OFFSET ? Math.floor(offset / 100) : 0;
  }

  /** The number of requested ids; a default page where nothing else is known. */
  private maxItems(node: FieldNode): number {
    const ids = this.argument(node, 'ids');
    return clampPageSize(Array.isArray(ids) ? ids.length : DEFAULT_PAGE_SIZE);
  }

  private argument(node: FieldNode, name: string): unknown {
    const given = node.arguments?.find((argument) => argument.name.value === name);
    if (given && given.value.kind !== Kind.INT) this.readsVariables = true; // a list may contain variables
    return given && valueFromASTUntyped(given.value, this.variables);
  }

  private typeNamed = (name: string | undefined): Type => (name === undefined ? undefined : this.schema.getType(name));
}

type Type = GraphQLNamedType | null | undefined;

const NOTHING: SelectionComplexity = {
  fields: 0,
  counts: 0,
  depth: 0,
  cost: 0,
  perItem: 0,
  text: 0,
  textPerItem: 0,
  aliases: 0,
  directives: 0,
  introspection: 0,
};

const add = (one: SelectionComplexity, other: SelectionComplexity): SelectionComplexity => ({
  fields: cap(one.fields + other.fields),
  counts: cap(one.counts + other.counts),
  depth: Math.max(one.depth, other.depth),
  cost: cap(one.cost + other.cost),
  perItem: cap(one.perItem + other.perItem),
  text: cap(one.text + other.text),
  textPerItem: cap(one.textPerItem + other.textPerItem),
  aliases: cap(one.aliases + other.aliases),
  directives: cap(one.directives + other.directives),
  introspection: cap(one.introspection + other.introspection),
});

/** Fragments that double each other 300 times would overflow to Infinity. */
const cap = (amount: number): number => Math.min(amount, 1e9);

/** A larger page is rejected during execution. */
const clampPageSize = (items: number): number => Math.min(Math.max(items, 1), MAX_PAGE_SIZE);

function fieldOf(type: Type, name: string): GraphQLField<unknown, unknown> | undefined {
  if (name === '__schema') return SchemaMetaFieldDef;
  if (name === '__type') return TypeMetaFieldDef;
  return isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
}

const isConnection = (type: Type): boolean =>
  isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Connection');
