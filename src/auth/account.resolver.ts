import type { EntityManager } from '@mikro-orm/postgresql';
import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';
import { globalId } from '../graphql/node.ts';
import {
  InvalidCredentialsError,
  Refusal,
  type UserError,
  UserErrorCode,
  ValidationError,
} from '../graphql/user-errors.ts';
import { validateFully } from '../graphql/validation.ts';
import { User } from '../users/user.entity.ts';
import { takenErrors } from '../users/user.repository.ts';
import { DeleteViewerInput, UpdateViewerInput, viewerChangeRules } from './account.input.ts';
import { DeleteViewerPayload, UpdateViewerPayload } from './account.payload.ts';
import type { Context, SignedIn, SignedInContext } from './context.ts';
import { hashPassword, verifyPassword } from './password.ts';
import { signOut } from './session.resolver.ts';
import { invalidToken } from './token.ts';

/** Changes and deletes the viewer's account. */
@Resolver()
export class AccountResolver {
  @Authorized()
  @Mutation(() => UpdateViewerPayload, { nullable: true, description: 'Changes the account of the viewer.' })
  async updateViewer(
    @Arg('input', () => UpdateViewerInput, { description: 'What changes.' }) input: UpdateViewerInput,
    @Ctx() context: SignedInContext,
  ): Promise<UpdateViewerPayload> {
    const { em, viewer, session, sessions, settings } = context;
    const user = await loadAccount(em, viewer);
    const { password, ...changes } = await validateFully(viewerChangeRules(settings), input, async (valid) => [
      ...(await takenErrors(em, valid, viewer)),
      ...(input.password === undefined || session.isRecent
        ? []
        : await passwordErrors(context, user, 'currentPassword', input.currentPassword)),
    ]);
    user.change(changes);
    if (password === undefined) {
      await em.flush();
      return { viewer: user };
    }
    user.passwordHash = await hashPassword(password);
    return { viewer: user, ...(await sessions.endOthers(em, user, session)) };
  }

  @Authorized()
  @Mutation(() => DeleteViewerPayload, {
    nullable: true,
    description: 'Removes the account with its articles; its comments elsewhere stay, without an author.',
  })
  async deleteViewer(
    @Arg('input', () => DeleteViewerInput, { description: 'The proof.' }) input: DeleteViewerInput,
    @Ctx() context: SignedInContext,
  ): Promise<DeleteViewerPayload> {
    const { em, viewer } = context;
    const user = await loadAccount(em, viewer);
    const errors = await passwordErrors(context, user, 'password', input.password);
    if (errors.length > 0) throw new Refusal(...errors);
    await em.remove(user).flush();
    signOut(context);
    return { deletedId: globalId('User', viewer.id) };
  }
}

/** The account with its password hash, which is lazy. Fails if the account was deleted in the meantime. */
const loadAccount = (em: EntityManager, { id }: SignedIn) =>
  em.findOneOrFail(User, id, {
    populate: ['passwordHash'],
    failHandler: invalidToken,
  });

/** None if the password is the account's. Every call that is given one counts as an attempt to sign in. */
async function passwordErrors(
  { loginThrottle, address }: Context,
  { id, passwordHash }: User,
  field: string,
  password: string | null | undefined,
): Promise<UserError[]> {
  const path = ['input', field];
  if (!password) return [new ValidationError(UserErrorCode.BLANK, "can't be blank", path)];
  const right = await loginThrottle.attempt({ id }, address, () => verifyPassword(password, passwordHash));
  return right ? [] : [new InvalidCredentialsError(path)];
}
