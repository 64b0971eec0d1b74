import { useQuery } from '@apollo/client/react';
import { CurrentUserDocument, type ViewerFieldsFragment } from './documents.ts';
import { useSignedIn } from './session.ts';

/** Who is signed in: null for a guest, undefined until it is known. */
export function useViewer(): ViewerFieldsFragment | null | undefined {
  const isSignedIn = useSignedIn();
  const { data } = useQuery(CurrentUserDocument, { skip: !isSignedIn });
  return isSignedIn ? data?.viewer : null;
}
