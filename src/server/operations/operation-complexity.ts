import {
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  OperationTypeNode,
  valueFromASTUntyped,
} from 'graphql';
import { type SelectionComplexity, SelectionMeasurer } from './selection-complexity.ts';

export interface OperationComplexity
  extends Omit<SelectionComplexity, 'fields' | 'counts' | 'perItem' | 'textPerItem'> {
  readonly rootFields: number;
  readonly mutations: number;
}

/** Accepts documents that are not validated. Operations whose complexity does not depend on variables are measured once. */
export class ComplexityEstimator {
  private readonly measured = new WeakMap<OperationDefinitionNode, OperationComplexity>();

  constructor(private readonly schema: GraphQLSchema) {}

  estimate(
    operation: OperationDefinitionNode,
    document: DocumentNode,
    variables: Readonly<Record<string, unknown>> = {},
  ): OperationComplexity {
    const known = this.measured.get(operation);
    if (known) return known;
    const measurer = new SelectionMeasurer(document, this.schema, variableValues(operation, variables));
    const root = this.schema.getRootType(operation.operation);
    const complexity = complexityOf(operation, measurer.selections(operation.selectionSet, root));
    if (!measurer.readsVariables) this.measured.set(operation, complexity);
    return complexity;
  }
}

function complexityOf(
  { operation, directives = [] }: OperationDefinitionNode,
  { fields, counts: _counts, perItem: _cost, textPerItem: _text, ...root }: SelectionComplexity,
): OperationComplexity {
  return {
    ...root,
    directives: root.directives + directives.length,
    rootFields: fields,
    mutations: operation === OperationTypeNode.MUTATION ? fields : 0,
  };
}

/** Values of the declared variables, given or default; a client may send any number of undeclared ones. */
function variableValues(
  { variableDefinitions = [] }: OperationDefinitionNode,
  given: Readonly<Record<string, unknown>>,
) {
  // Without a prototype, because $constructor is a valid name.
  const values: Record<string, unknown> = Object.create(null);
  for (const { variable, defaultValue } of variableDefinitions) {
    const name = variable.name.value;
    if (Object.hasOwn(given, name)) values[name] = given[name];
    else if (defaultValue) values[name] = valueFromASTUntyped(defaultValue);
  }
  return values;
}
