import { Kind, type OperationDefinitionNode, parse, print, separateOperations } from 'graphql';

/** A tab of the Playground: an operation with its fragments, and sample variables. */
export interface Tab {
  readonly query: string;
  readonly variables: string;
}

/**
 * The operations with a comment line `# Playground <position>: <variables>`, in that order. Each includes its fragments, so that
 * a tab shows exactly what is sent.
 */
export function playgroundTabs(files: readonly string[]): Tab[] {
  const document = parse(files.join('\n'));
  const separated = separateOperations(document);
  return document.definitions
    .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    .flatMap((operation) => {
      const [, position, variables] = POSITION.exec(commentsBefore(operation)) ?? [];
      const alone = separated[operation.name?.value ?? ''];
      if (!position || !variables || !alone) return [];
      return [
        { position: Number(position), query: withOperationFirst(alone.definitions), variables: formatJson(variables) },
      ];
    })
    .toSorted((one, other) => one.position - other.position)
    .map(({ query, variables }) => ({ query, variables }));
}

const POSITION = /^ Playground (\d+): (.+)$/m;

function commentsBefore({ loc }: OperationDefinitionNode): string {
  const comments = [];
  for (let token = loc?.startToken.prev; token?.kind === '<SOF>' || token?.kind === 'Comment'; token = token.prev) {
    comments.push(token.value);
  }
  return comments.join('\n');
}

function withOperationFirst(definitions: ReturnType<typeof parse>['definitions']): string {
  const rank = (kind: Kind) => (kind === Kind.OPERATION_DEFINITION ? 0 : 1);
  return definitions
    .toSorted((one, other) => rank(one.kind) - rank(other.kind))
    .map(print)
    .join('\n\n');
}

const formatJson = (json: string) => JSON.stringify(JSON.parse(json), null, 2);
