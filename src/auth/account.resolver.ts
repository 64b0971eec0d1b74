import type { EntityManager } from '@mikro-orm/postgresql';
import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';
import { globalId } from '../graphql/node.ts';
import { InvalidCredentialsError, Refusal, UserErrorCode, ValidationError } from '../graphql/user-errors.ts';
import { validate } from '../graphql/validation.ts';
import { User } from '../users/user.entity.ts';
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
    const { password, ...changes } = validate(viewerChangeRules(settings), input);
    const user = await loadAccount(em, viewer);
    if (password === undefined) {
      user.change(changes);
      await em.flush();
      return { viewer: user };
    }
    // Before anything changes, such as the e-mail address.
    if (Date.now() - session.openedAt.getTime() > RECENT_SIGN_IN) {
      await requirePassword(context, user, 'currentPassword', input.currentPassword);
    }
    user.change(changes);
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
    await requirePassword(context, user, 'password', input.password);
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

/** Throws unless the password is right. */
async function requirePassword(
  { loginThrottle, address }: Context,
  { id, passwordHash }: User,
  field: string,
  password: string | null | undefined,
): Promise<void> {
  const path = ['input', field];
  if (!password) throw new Refusal(new ValidationError(UserErrorCode.BLANK, "can't be blank", path));
  const right = await loginThrottle.attempt({ id }, address, () => verifyPassword(password, passwordHash));
  if (!right) throw new Refusal(new InvalidCredentialsError(path));
}

/** Milliseconds after sign-in in which changing the password does not require the current one. */
const RECENT_SIGN_IN = 15 * 60 * 1000;
