import {
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLUnionType,
  getNamedType,
  isInterfaceType,
  isLeafType,
  isUnionType,
} from 'graphql';
import { schema } from './lists.ts';
import { RandomArguments } from './random-arguments.ts';
import { RandomChoices } from './random-choices.ts';
import { RandomInputs } from './random-inputs.ts';
import type { World } from './reference.ts';

export interface RandomDocument {
  document: string;
  variables: Record<string, unknown>;
  /** Set when the document has several operations. */
  operationName?: string;
  /** Whether the document contains arguments that may be rejected. */
  mayBeRejected?: boolean;
}

/** A random query over the whole schema, with aliases, arguments, variables, fragments and directives. */
export const randomDocument = (numbers: readonly number[], world: World, depth: number): RandomDocument =>
  new Writer(new RandomChoices(numbers), world).write(depth);

type Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType;

class Writer {
  private readonly inputs: RandomInputs;
  private readonly arguments: RandomArguments;
  private readonly fragments: string[] = [];
  /** Names of the complete fragments, by type, so that no fragment spreads itself. */
  private readonly finished = new Map<string, string[]>();
  private names = 0;
  private insideFragments = 0;
  /** Larger documents are mostly rejected as too complex. */
  private fieldsLeft = 40;

  constructor(
    private readonly choices: RandomChoices,
    world: World,
  ) {
    this.inputs = new RandomInputs(choices);
    this.arguments = new RandomArguments(choices, world);
  }

  write(depth: number): RandomDocument {
    const { choices, inputs } = this;
    const switches = [this.switch('yes', true), this.switch('no', false)];
    const selection = this.selection(schema.getQueryType() as GraphQLObjectType, depth);
    const unused = '_: __typename @include(if: $yes) @skip(if: $no)';
    const name = choices.one(['', 'Requested']);
    const operation = `query ${name}(${[...switches, ...inputs.declarations].join(', ')}) { ${unused} ${selection} }`;
    const others = name && choices.upTo(1) === 1 ? OTHER_OPERATIONS.slice(choices.upTo(1)) : [];
    const [first, ...more] = others;
    const document = [...(first ? [first] : []), operation, ...more, ...this.fragments].join('\n');
    const isNamed = others.length > 0 || (name && choices.upTo(1) === 1);
    const mayBeRejected = this.arguments.hasInvalid || inputs.leavesOut;
    return { document, variables: inputs.variables, mayBeRejected, ...(isNamed && { operationName: name }) };
  }

  /** A variable for directives, set or left to its default. */
  private switch(name: string, value: boolean): string {
    if (this.choices.upTo(1) === 1) return `$${name}: ${this.choices.one(['Boolean', 'Boolean!'])} = ${value}`;
    this.inputs.variables[name] = value;
    return `$${name}: Boolean!${this.choices.one(['', ` = ${!value}`])}`;
  }

  private selection(type: Composite, depth: number): string {
    const most = this.fieldsLeft > 0 ? (depth > 3 ? 2 : 4) : 0;
    const parts = Array.from({ length: this.choices.upTo(most) + 1 }, () => this.part(type, depth));
    return [this.choices.one(['', '__typename', `${this.name('a')}: __typename`]), ...parts].join(' ');
  }

  /** A field, or a fragment with several. */
  private part(type: Composite, depth: number): string {
    if (this.insideFragments > 2 || this.fieldsLeft <= 0) return this.field(type, depth);
    const plain = isInterfaceType(type) ? ['inline', 'inline', 'field'] : Array<string>(7).fill('field');
    const wrapping = isUnionType(type)
      ? this.choices.one(['inline', 'inline', 'named'])
      : this.choices.one([...plain, 'untyped', 'inline', 'named', 'again', 'wider']);
    if (wrapping === 'field') return this.field(type, depth);
    const [wider = type] = 'getInterfaces' in type ? type.getInterfaces() : [];
    const narrower = isUnionType(type)
      ? this.choices.one(schema.getPossibleTypes(type))
      : isInterfaceType(type)
        ? this.choices.one([...schema.getPossibleTypes(type), type])
        : type;
    const condition = wrapping === 'wider' ? wider : wrapping === 'untyped' ? type : narrower;
    const [finished] = this.finished.get(condition.name) ?? [];
    if (wrapping === 'again' && finished) return `...${finished} ${this.directive()}`;

    this.insideFragments += 1;
    const inside = `{ ${this.choices.upTo(1) === 0 ? this.fields(condition, depth) : this.selection(condition, depth)} }`;
    this.insideFragments -= 1;
    if (wrapping === 'untyped') return `... ${this.directive()} ${inside}`;
    if (wrapping === 'inline' || wrapping === 'wider') return `... on ${condition.name} ${this.directive()} ${inside}`;
    const name = this.name('F');
    this.fragments.push(`fragment ${name} on ${condition.name} ${inside}`);
    this.finished.set(condition.name, [name, ...(this.finished.get(condition.name) ?? [])]);
    return `...${name} ${this.directive()}`;
  }

  private fields = (type: Composite, depth: number): string => `${this.field(type, depth)} ${this.field(type, depth)}`;

  private field(type: Composite, depth: number): string {
    const { choices } = this;
    if (isUnionType(type)) return '__typename';
    const fields = Object.values(type.getFields());
    const leaves = fields.filter((field) => isLeafType(getNamedType(field.type)));
    const inner = fields.filter((field) => !leaves.includes(field));
    // Connections, edges and page infos lead to an entity, and do not count as depth.
    const isStep = /Connection$|Edge$|PageInfo$/.test(type.name);
    this.fieldsLeft -= 1;
    const deeper = (isStep || depth > 0) && inner.length > 0 && this.fieldsLeft > 0;
    const goesOn = deeper && (isStep ? !choices.once(5) : choices.upTo(2) > 0);
    const field = choices.one(goesOn || leaves.length === 0 ? inner : leaves);
    if (!field) return '__typename';
    const selection = this.fieldWithArguments(type, field);
    const named = getNamedType(field.type) as GraphQLNamedType;
    if (isLeafType(named)) return `${selection} ${this.directive()}`;
    const below = () => `${this.directive()} { ${this.selection(named as Composite, isStep ? depth : depth - 1)} }`;
    // Selected twice under one name, a field is returned once, with both selections.
    return [selection, ...(choices.once(12) ? [selection] : [])].map((again) => `${again} ${below()}`).join(' ');
  }

  /** The field with its alias and its arguments. */
  private fieldWithArguments(type: Composite, field: GraphQLField<unknown, unknown>): string {
    const alias = field.args.length > 0 || this.choices.once(10) ? `${this.name('a')}: ` : '';
    const values = this.arguments.of(`${type.name}.${field.name}`, field);
    const written = Object.entries(values).map(([name, value]) => {
      const argument = field.args.find((some) => some.name === name);
      if (!argument) throw new Error(`${type.name}.${field.name} has no ${name}.`);
      return `${name}: ${this.inputs.write(value, argument.type)}`;
    });
    return `${alias}${field.name}${written.length > 0 ? `(${written.join(', ')})` : ''}`;
  }

  private directive = () => this.choices.one([...Array<string>(DIRECTIVES.length * 3).fill(''), ...DIRECTIVES]);

  private name(letter: string): string {
    this.names += 1;
    return `${letter}${this.names}`;
  }
}

const DIRECTIVES = [
  '@include(if: $yes)',
  '@skip(if: $no)',
  '@include(if: $no)',
  '@skip(if: true)',
  '@include(if: $yes) @skip(if: $no)',
  '@skip(if: $yes) @include(if: $yes)',
];

/** Other operations in the document, which must not affect the executed one. */
const OTHER_OPERATIONS = [
  'query Beside { articles(first: 1) { nodes { id } } }',
  'mutation Never { logout { errors { message } } }',
];
