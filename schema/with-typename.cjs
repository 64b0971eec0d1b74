/**
 * Adds `__typename` to every selection set but the outermost, as the caches of Apollo Client and urql do. The operations of the
 * REST API have no cache, and their results are answers as they are.
 */
const { Kind, visit } = require('graphql');

exports.transform = ({ documents }) =>
  documents.map((file) => ({
    ...file,
    document: file.document && (isForRest(file) ? file.document : visit(file.document, { SelectionSet: withTypename })),
  }));

const isForRest = ({ location }) => location.endsWith('/rest.graphql');

const TYPENAME = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

function withTypename(node, _key, parent) {
  const isThere = node.selections.some(({ kind, name }) => kind === Kind.FIELD && name.value === '__typename');
  if (isThere || parent.kind === Kind.OPERATION_DEFINITION) return undefined;
  return { ...node, selections: [TYPENAME, ...node.selections] };
}
