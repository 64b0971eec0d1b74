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
  type OperationDefinitionNode,
  OperationTypeNode,
  SchemaMetaFieldDef,
  type SelectionNode,
  type SelectionSetNode,
  TypeMetaFieldDef,
  valueFromASTUntyped,
} from 'graphql';
import { DEFAULT_PAGE_SIZE, MAX_OFFSET, MAX_PAGE_SIZE } from '../../reading/page-args.ts';

/** How much an operation asks for, with its fragments written out. What `@skip` and `@include` may leave out counts too. */
export interface OperationComplexity {
  /** Fields inside of fields, down to the deepest one. */
  readonly depth: number;
  /**
   * One for each field; what is below a list, for each item that it can have at most. Lists say in their extensions what it
   * costs to look through all that they are taken from: to count them, or to find in them what a filter leaves.
   */
  readonly cost: number;
  /** Characters of long texts that the answer may have: fields say in their extensions how long theirs may be. */
  readonly text: number;
  readonly aliases: number;
  readonly directives: number;
  readonly rootFields: number;
  readonly mutations: number;
  /** The cost of what is asked about the schema, which is apart: programs ask for nearly all of it at once. */
  readonly introspection: number;
}

/** Measures operations of documents that may not be valid. What is the same for all variables is measured once. */
export class ComplexityEstimator {
  private readonly known = new WeakMap<OperationDefinitionNode, OperationComplexity>();

  constructor(private readonly schema: GraphQLSchema) {}

  of(
    operation: OperationDefinitionNode,
    document: DocumentNode,
    variables?: Readonly<Record<string, unknown>>,
  ): OperationComplexity {
    const known = this.known.get(operation);
    if (known) return known;
    const measure = new Measure(document, this.schema, valuesOf(operation, variables ?? {}));
    const size = sizeOf(operation, measure, this.schema);
    if (!measure.readsVariables) this.known.set(operation, size);
    return size;
  }
}

function sizeOf(operation: OperationDefinitionNode, measure: Measure, schema: GraphQLSchema): OperationComplexity {
  const root = schema.getRootType(operation.operation);
  const {
    fields,
    counts: _counts,
    perItem: _cost,
    textPerItem: _text,
    ...size
  } = measure.selections(operation.selectionSet, root);
  const changes = operation.operation === OperationTypeNode.MUTATION;
  const directives = size.directives + (operation.directives?.length ?? 0);
  return { ...size, directives, rootFields: fields, mutations: changes ? fields : 0 };
}

/** The size of a part of an operation. */
interface Part extends Omit<OperationComplexity, 'rootFields' | 'mutations'> {
  /** Fields at the top of it. */
  readonly fields: number;
  /** In a connection: how often it is counted; what that costs only the field above knows. */
  readonly counts: number;
  /** In a connection: the cost of each item of the page, whose length only the field above knows. */
  readonly perItem: number;
  /** The same of its text. */
  readonly textPerItem: number;
}

/** Each fragment is measured once, however often and from wherever it is spread, so this takes as long as the document is. */
class Measure {
  readsVariables = false;
  private readonly fragments = new Map<string, FragmentDefinitionNode>();
  private readonly measured = new Map<string, Part>();

  constructor(
    document: DocumentNode,
    private readonly schema: GraphQLSchema,
    private readonly variables: Readonly<Record<string, unknown>>,
  ) {
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.fragments.set(definition.name.value, definition);
    }
  }

  selections({ selections }: SelectionSetNode, type: Type): Part {
    return selections.reduce((sum, selection) => plus(sum, this.selection(selection, type)), NOTHING);
  }

  private selection(node: SelectionNode, type: Type): Part {
    const directives = { ...NOTHING, directives: node.directives?.length ?? 0 };
    switch (node.kind) {
      case Kind.FIELD:
        return plus(directives, this.field(node, type));
      case Kind.INLINE_FRAGMENT:
        return plus(
          directives,
          this.selections(node.selectionSet, this.typeNamed(node.typeCondition?.name.value) ?? type),
        );
      case Kind.FRAGMENT_SPREAD:
        return plus(directives, this.fragment(node.name.value));
    }
  }

  private fragment(name: string): Part {
    const known = this.measured.get(name);
    if (known) return known;
    this.measured.set(name, NOTHING); // for fragments in a circle, which validation refuses
    const fragment = this.fragments.get(name);
    const part = fragment
      ? this.selections(fragment.selectionSet, this.typeNamed(fragment.typeCondition.name.value))
      : NOTHING;
    this.measured.set(name, part);
    return part;
  }

  private field(node: FieldNode, parent: Type): Part {
    const field = fieldOf(parent, node.name.value);
    const below = node.selectionSet ? this.selections(node.selectionSet, field && getNamedType(field.type)) : NOTHING;
    const text = below.text + Number(field?.extensions.mostCharacters ?? 0);
    const counts = node.name.value === 'totalCount' ? 1 : 0;
    const aliases = below.aliases + (node.alias ? 1 : 0);
    const part = { ...below, fields: 1, counts, depth: below.depth + 1, aliases, text };
    if (field === SchemaMetaFieldDef || field === TypeMetaFieldDef) {
      return { ...part, depth: 1, cost: 1, introspection: below.cost };
    }
    const isList = field !== undefined && isListType(getNullableType(field.type));
    if (isList && isConnection(parent)) return { ...part, cost: 1, perItem: below.cost, text: 0, textPerItem: text };
    const items = isList ? this.mostItems(node) : 1;
    const ofPage = this.pageSize(node);
    const price = Number(field?.extensions.scanCost ?? 0);
    const lookingThrough = price && price * this.looksThrough(node, below);
    return {
      ...part,
      cost: capped(1 + this.leftOut(node) + lookingThrough + items * below.cost + ofPage * below.perItem),
      perItem: 0,
      text: capped(items * text + ofPage * below.textPerItem),
      textPerItem: 0,
    };
  }

  private pageSize(node: FieldNode): number {
    const given = ['first', 'last'].map((name) => this.argument(node, name)).filter(Number.isInteger) as number[];
    return within(given.length > 0 ? Math.max(...given) : DEFAULT_PAGE_SIZE);
  }

  /** One for each count, and at least one where a few are to be found. A field that selects nothing is a count itself. */
  private looksThrough(node: FieldNode, { counts }: Part): number {
    const isLookedThrough = !node.selectionSet || ['filter', 'prefix'].some((name) => this.argument(node, name));
    return Math.max(counts, isLookedThrough ? 1 : 0);
  }

  /** What is left out is gone through all the same. More than may be left out is refused when it is executed. */
  private leftOut(node: FieldNode): number {
    const offset = this.argument(node, 'offset');
    return typeof offset === 'number' && offset > 0 && offset <= MAX_OFFSET ? Math.floor(offset / 100) : 0;
  }

  /** As many as there are ids asked for; where nothing says how many, as many as on a page. */
  private mostItems(node: FieldNode): number {
    const ids = this.argument(node, 'ids');
    return within(Array.isArray(ids) ? ids.length : DEFAULT_PAGE_SIZE);
  }

  private argument(node: FieldNode, name: string): unknown {
    const given = node.arguments?.find((argument) => argument.name.value === name);
    if (given && given.value.kind !== Kind.INT) this.readsVariables = true; // a list may have them in it
    return given && valueFromASTUntyped(given.value, this.variables);
  }

  private typeNamed = (name: string | undefined): Type => (name === undefined ? undefined : this.schema.getType(name));
}

type Type = GraphQLNamedType | null | undefined;

const NOTHING: Part = {
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

const plus = (one: Part, other: Part): Part => ({
  fields: capped(one.fields + other.fields),
  counts: capped(one.counts + other.counts),
  depth: Math.max(one.depth, other.depth),
  cost: capped(one.cost + other.cost),
  perItem: capped(one.perItem + other.perItem),
  text: capped(one.text + other.text),
  textPerItem: capped(one.textPerItem + other.textPerItem),
  aliases: capped(one.aliases + other.aliases),
  directives: capped(one.directives + other.directives),
  introspection: capped(one.introspection + other.introspection),
});

/** Fragments that double each other 300 times would come to more than a number can hold. */
const capped = (amount: number): number => Math.min(amount, 1e9);

/** What asks for more is refused when it is executed, and costs no more than what is refused. */
const within = (items: number): number => Math.min(Math.max(items, 1), MAX_PAGE_SIZE);

function fieldOf(type: Type, name: string): GraphQLField<unknown, unknown> | undefined {
  if (name === '__schema') return SchemaMetaFieldDef;
  if (name === '__type') return TypeMetaFieldDef;
  return isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
}

const isConnection = (type: Type): boolean =>
  isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Connection');

/** The variables by name, given or by default: the declared ones, for who likes may send 100,000 others. */
function valuesOf({ variableDefinitions = [] }: OperationDefinitionNode, given: Readonly<Record<string, unknown>>) {
  // Without a prototype: $constructor is a name as good as any.
  const values: Record<string, unknown> = Object.create(null);
  for (const { variable, defaultValue } of variableDefinitions) {
    const name = variable.name.value;
    if (Object.hasOwn(given, name)) values[name] = given[name];
    else if (defaultValue) values[name] = valueFromASTUntyped(defaultValue);
  }
  return values;
}
