import { Kind, type OperationDefinitionNode, parse, print, separateOperations } from 'graphql';

/** A tab of the Playground: an operation, what it needs to run, and variables to try it with. */
export interface Tab {
  readonly query: string;
  readonly variables: string;
}

/**
 * The operations whose comment has a line `# Playground <place>: <variables>`, by their place. Each brings the fragments it
 * uses, so that what is on the screen is what is sent, and can be copied as it is.
 */
export function tabsOf(files: readonly string[]): Tab[] {
  const document = parse(files.join('\n'));
  const separated = separateOperations(document);
  return document.definitions
    .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    .flatMap((operation) => {
      const [, place, variables] = PLACE.exec(commentsBefore(operation)) ?? [];
      const alone = separated[operation.name?.value ?? ''];
      if (!place || !variables || !alone) return [];
      return [{ place: Number(place), query: withOperationFirst(alone.definitions), variables: indented(variables) }];
    })
    .toSorted((one, other) => one.place - other.place)
    .map(({ query, variables }) => ({ query, variables }));
}

const PLACE = /^ Playground (\d+): (.+)$/m;

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

const indented = (json: string) => JSON.stringify(JSON.parse(json), null, 2);
