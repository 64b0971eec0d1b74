/** The typed documents, where a frontend has a copy of them. */
export * from '../../../../schema/generated/graphql.ts';
