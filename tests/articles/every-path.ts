import {
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';

/** Documents for every way through the schema, made from the schema alone, so that a new field is on it. */

/** Values to try for arguments of a scalar type; the first is used where only one is tried. */
export type Values = Record<string, readonly string[]>;

export class EveryPath {
  constructor(
    private readonly schema: GraphQLSchema,
    private readonly values: Values,
  ) {}

  /**
   * A query for each way of at most this many objects, in which no type is more than twice. No way goes on from a field that
   * is one of `nothing`, such as `user(by: { username: "nobody" })`.
   */
  queries(length: number, nothing: readonly string[] = []): string[] {
    const paths = this.paths(this.schema.getQueryType() as GraphQLObjectType, length, [], nothing);
    return paths.map((path) => `{ ${path} }`);
  }

  /** A mutation for each value of what it takes, which selects the whole payload. */
  mutations(name: string): string[] {
    const field = this.schema.getMutationType()?.getFields()[name];
    if (!field) throw new Error(`There is no mutation ${name}.`);
    const selected = this.everything(getNamedType(field.type), 3);
    return this.argumentLists(field.args, true).map((args) => `mutation { ${name}${args} ${selected} }`);
  }

  private paths(
    type: GraphQLObjectType,
    length: number,
    before: readonly string[],
    nothing: readonly string[],
    isEach = true,
  ): string[] {
    return Object.values(type.getFields()).flatMap((field) => {
      const [reached, wrap] = this.reached(getNamedType(field.type));
      const isRoot = before.length === 0;
      return reached
        .filter(({ name }) => before.filter((earlier) => earlier === name).length < 2)
        .flatMap((target) => {
          const named = (args: string) => `${field.name}${args}`;
          const here = wrap(this.onType(field.type, target, this.leaves(target)));
          const ends = this.argumentLists(field.args, isEach).map((args) => `${named(args)} ${here}`);
          if (length === 1) return ends;
          const starts = this.argumentLists(field.args, isRoot && field.args.some(isRequired));
          const through = starts
            .filter((args) => !nothing.includes(named(args)))
            .flatMap((args, index) => {
              // Below the root, every argument is tried once; the others tell what it is asked of.
              const isEachBelow = isRoot && index === 0;
              const further = this.paths(target, length - 1, [...before, target.name], nothing, isEachBelow);
              return further.map((inner) => `${named(args)} ${wrap(this.onType(field.type, target, inner), false)}`);
            });
          return [...ends, ...through];
        });
    });
  }

  /** The objects that a field leads to, and the selection around them: through a connection, to its nodes. */
  private reached(type: GraphQLNamedType): [GraphQLObjectType[], (inner: string, isEnd?: boolean) => string] {
    if (!isCompositeType(type)) return [[], String];
    if (!isConnection(type)) return [this.objects(type), (inner) => `{ ${inner} }`];
    const page = 'totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor }';
    const around = (inner: string, isEnd = true) => `{ ${isEnd ? page : ''} nodes { ${inner} } }`;
    return [this.objects(nodesOf(type)), around];
  }

  private objects(type: GraphQLNamedType): GraphQLObjectType[] {
    if (isAbstractType(type)) return [...this.schema.getPossibleTypes(type)];
    return isObjectType(type) ? [type] : [];
  }

  private onType(declared: unknown, target: GraphQLObjectType, inner: string): string {
    const named = getNamedType(declared as GraphQLObjectType);
    const reached = isConnection(named) ? nodesOf(named) : named;
    return isAbstractType(reached) ? `... on ${target.name} { ${inner} }` : inner;
  }

  private leaves(type: GraphQLObjectType): string {
    const leaves = Object.values(type.getFields()).filter((field) => !isCompositeType(getNamedType(field.type)));
    return ['__typename', ...leaves.map(({ name }) => name)].join(' ');
  }

  private everything(type: GraphQLNamedType, depth: number): string {
    if (isAbstractType(type)) return '{ __typename }';
    if (!isObjectType(type)) return '';
    const deeper = Object.values(type.getFields()).filter(
      ({ type: of }) => depth > 0 && isCompositeType(getNamedType(of)),
    );
    const inner = deeper.map((field) => {
      const [args = ''] = this.argumentLists(field.args, false);
      return `${field.name}${args} ${this.everything(getNamedType(field.type), depth - 1)}`;
    });
    return `{ ${this.leaves(type)} ${inner.join(' ')} }`;
  }

  /** The arguments with each value in turn, the others as they are by default; or only with the first values. */
  private argumentLists(args: readonly GraphQLArgument[], isEach: boolean): string[] {
    return this.combinations(args, isEach).map((given) => (given === '' ? '' : `(${given})`));
  }

  private combinations(fields: readonly (GraphQLArgument | GraphQLInputField)[], isEach: boolean): string[] {
    const base = fields.filter((field) => isRequired(field) || field.name === 'first');
    const first = base.map((field) => [field.name, this.valuesOf(field.type, false)[0]] as const);
    const alone = (name: string, value: string | undefined) =>
      [...first.filter(([other]) => other !== name), [name, value]]
        .map(([key, given]) => `${key}: ${given}`)
        .join(', ');
    const all = fields.flatMap(({ name, type }) => this.valuesOf(type, isEach).map((value) => alone(name, value)));
    const plain = first.map(([key, value]) => `${key}: ${value}`).join(', ');
    return isEach && all.length > 0 ? [...new Set([plain, ...all])] : [plain];
  }

  private valuesOf(type: GraphQLInputType, isEach: boolean): string[] {
    if (isNonNullType(type)) return this.valuesOf(type.ofType, isEach);
    if (isListType(type)) return [`[${this.valuesOf(type.ofType, true).join(', ')}]`];
    const all = this.valuesOfNamed(type, isEach);
    return isEach ? all : all.slice(0, 1);
  }

  private valuesOfNamed(type: GraphQLInputType, isEach: boolean): string[] {
    if (isEnumType(type)) return type.getValues().map(({ name }) => name);
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields());
      if (!type.isOneOf) return this.combinations(fields, isEach).map((given) => `{ ${given} }`);
      return fields.flatMap((field) => this.valuesOf(field.type, isEach).map((value) => `{ ${field.name}: ${value} }`));
    }
    const values = this.values[getNamedType(type).name];
    if (!values) throw new Error(`There are no values to try for ${getNamedType(type).name}.`);
    return [...values];
  }
}

const isConnection = (type: GraphQLNamedType): type is GraphQLObjectType =>
  isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Connection');

const nodesOf = (connection: GraphQLObjectType) =>
  getNamedType(connection.getFields().nodes?.type as GraphQLInputType & object) as GraphQLNamedType;

const isRequired = ({ type, defaultValue }: GraphQLArgument | GraphQLInputField) =>
  isNonNullType(type) && defaultValue === undefined;
