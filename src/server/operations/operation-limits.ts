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

/** Limits of one operation. */
export const OPERATION_LIMITS = {
  depth: 12,
  cost: 5_000,
  text: 10_000_000, // a hundred articles with bodies of the maximum length
  aliases: 30,
  rootFields: 20,
  mutations: 5,
  directives: 50,
  introspection: 1_000_000, // about three times what GraphiQL and code generators need
} as const satisfies OperationComplexity;

/** Where parser and validation stop. */
export const documentLimits = ({ showsSchema }: { showsSchema: boolean }) => ({
  parseOptions: { maxTokens: MAX_TOKENS },
  validationOptions: { maxErrors: MAX_ERRORS, hideSuggestions: !showsSchema },
  validationRules: [rejectOverLimit, ...(showsSchema ? [] : [NoSchemaIntrospectionCustomRule])],
});

/** Characters of a document, with its comments, which the parser keeps in memory too. */
export const MAX_DOCUMENT_LENGTH = 100_000;

export const MAX_TOKENS = 2_000;
export const MAX_ERRORS = 5;

/**
 * Rejects operations over a limit before validation, which can take far longer than measuring; and again before execution,
 * because a cached document is not validated again although its variables may differ. Every response reports the cost.
 */
export const limitOperations = (
  schema: GraphQLSchema,
  estimator = new ComplexityEstimator(schema),
): ApolloServerPlugin => ({
  requestDidStart: async ({ request }) => {
    let complexity: OperationComplexity | undefined;
    function check(document: DocumentNode): QueryTooComplex | undefined {
      const operation = getOperationAST(document, request.operationName);
      complexity ??= operation ? estimator.estimate(operation, document, request.variables) : undefined;
      return complexity && firstViolation(complexity);
    }
    return {
      validationDidStart: async ({ document }) => {
        const error = check(document);
        if (error) rejected.set(document, error);
      },
      didResolveOperation: async ({ document }) => {
        const error = check(document);
        if (error) throw error;
      },
      willSendResponse: async ({ response: { body } }) => {
        if (!complexity || body.kind !== 'single') return;
        const cost = { requested: complexity.cost, maximum: OPERATION_LIMITS.cost };
        body.singleResult.extensions = { ...body.singleResult.extensions, cost };
      },
    };
  },
});

/** Ends the validation of a rejected document: without its root node, no rule has anything to visit. */
const rejectOverLimit: ValidationRule = (context) => ({
  Document(document) {
    const error = rejected.get(document);
    if (!error) return undefined;
    context.reportError(error);
    return null;
  },
});

const rejected = new WeakMap<DocumentNode, QueryTooComplex>();

function firstViolation(complexity: OperationComplexity): QueryTooComplex | undefined {
  const limits = Object.keys(OPERATION_LIMITS) as (keyof OperationComplexity)[];
  const exceeded = limits.find((limit) => complexity[limit] > OPERATION_LIMITS[limit]);
  return exceeded && new QueryTooComplex(exceeded, OPERATION_LIMITS[exceeded], complexity[exceeded]);
}
