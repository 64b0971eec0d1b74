import type { ApolloServerPlugin } from '@apollo/server';
import {
  type DocumentNode,
  type GraphQLSchema,
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
  type ValidationRule,
} from 'graphql';
import { QueryTooComplex } from '../../graphql/errors.ts';
import { ComplexityEstimator, type OperationComplexity } from './operation-complexity.ts';

/** What one operation may ask for at most. */
export const LIMITS = {
  depth: 12,
  cost: 5_000,
  text: 10_000_000, // a hundred articles with bodies as long as they may be
  aliases: 30,
  rootFields: 20,
  mutations: 5,
  directives: 50,
  introspection: 1_000_000, // about three times what GraphiQL and code generators ask for
} as const satisfies OperationComplexity;

/** What the parser and validation read of a document, before they stop and say so. */
export const documentLimits = ({ showsSchema }: { showsSchema: boolean }) => ({
  parseOptions: { maxTokens: MAX_TOKENS },
  validationOptions: { maxErrors: MAX_ERRORS, hideSuggestions: !showsSchema },
  validationRules: [refusedByLimits, ...(showsSchema ? [] : [NoSchemaIntrospectionCustomRule])],
});

/** Of the text of a document, comments and all: the parser would keep them too. */
export const MAX_DOCUMENT_LENGTH = 100_000;

export const MAX_TOKENS = 2_000;
export const MAX_ERRORS = 5;

/**
 * Refuses what asks for too much, before it is validated, for validating it can take far longer than refusing it; and,
 * as a document that was valid once is not validated again, before it is executed, for its variables may be others now.
 * Every answer says what its operation costs.
 */
export const limitOperations = (
  schema: GraphQLSchema,
  sizes = new ComplexityEstimator(schema),
): ApolloServerPlugin => ({
  requestDidStart: async ({ request }) => {
    let size: OperationComplexity | undefined;
    function faultOf(document: DocumentNode): QueryTooComplex | undefined {
      const operation = getOperationAST(document, request.operationName);
      size ??= operation ? sizes.of(operation, document, request.variables) : undefined;
      return size && faultIn(size);
    }
    return {
      validationDidStart: async ({ document }) => {
        const fault = faultOf(document);
        if (fault) faults.set(document, fault);
      },
      didResolveOperation: async ({ document }) => {
        const fault = faultOf(document);
        if (fault) throw fault;
      },
      willSendResponse: async ({ response: { body } }) => {
        if (!size || body.kind !== 'single') return;
        const cost = { requested: size.cost, maximum: LIMITS.cost };
        body.singleResult.extensions = { ...body.singleResult.extensions, cost };
      },
    };
  },
});

/** Ends the validation of a document that is refused: without the node, no rule has anything to visit. */
const refusedByLimits: ValidationRule = (context) => ({
  Document(document) {
    const fault = faults.get(document);
    if (!fault) return undefined;
    context.reportError(fault);
    return null;
  },
});

const faults = new WeakMap<DocumentNode, QueryTooComplex>();

function faultIn(size: OperationComplexity): QueryTooComplex | undefined {
  const limits = Object.keys(LIMITS) as (keyof OperationComplexity)[];
  const broken = limits.find((limit) => size[limit] > LIMITS[limit]);
  return broken && new QueryTooComplex(broken, LIMITS[broken], size[broken]);
}
