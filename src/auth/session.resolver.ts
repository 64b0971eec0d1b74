import { Arg, Authorized, Ctx, Extensions, Mutation, Resolver } from 'type-graphql';
import { InvalidCredentialsError, Refusal } from '../graphql/user-errors.ts';
import { validate, validateFully } from '../graphql/validation.ts';
import { foldCase } from '../text/fold-case.ts';
import { User } from '../users/user.entity.ts';
import { takenErrors } from '../users/user.repository.ts';
import {
  credentialRules,
  LoginInput,
  LogoutInput,
  RefreshSessionInput,
  RegisterInput,
  registrationRules,
} from './account.input.ts';
import { AuthPayload, LogoutPayload } from './account.payload.ts';
import type { Context, SignedInContext } from './context.ts';
import { hashPassword, needsRehash, verifyPassword } from './password.ts';
import type { SignInTokens } from './sessions.ts';

/** Sign-in and sign-out. A client that signs in may still send an expired token, so those mutations ignore it. */
@Resolver()
export class SessionResolver {
  @Extensions({ ignoresToken: true })
  @Mutation(() => AuthPayload, {
    nullable: true,
    description:
      'Makes an account and signs in to it. A hundred attempts an hour from one IP address unless configured, then RATE_LIMITED.',
  })
  async register(
    @Arg('input', () => RegisterInput, { description: 'The account.' }) input: RegisterInput,
    @Ctx() context: Context,
  ): Promise<AuthPayload> {
    const { password, ...account } = await validateFully(registrationRules(context.settings), input, async (valid) => {
      // Before the lookup, which would otherwise tell without a limit who has an account.
      await context.loginThrottle.countRegistration(context.address);
      return takenErrors(context.em, valid);
    });
    const passwordHash = await hashPassword(password);
    return context.em.transactional(async (em) => {
      const user = new User({ ...account, passwordHash });
      await em.persist(user).flush();
      const tokens = await context.sessions.open(em, user, passwordHash);
      return signIn(context, user, tokens as SignInTokens); // nobody else sees the user yet
    });
  }

  @Extensions({ ignoresToken: true })
  @Mutation(() => AuthPayload, {
    nullable: true,
    description: 'Opens a session. After ten wrong passwords in a quarter of an hour one has to wait (RATE_LIMITED).',
  })
  async login(
    @Arg('input', () => LoginInput, { description: 'Who, and the proof.' }) input: LoginInput,
    @Ctx() context: Context,
  ): Promise<AuthPayload> {
    const { email, password } = validate(credentialRules, input);
    const emailKey = foldCase(email);
    const user = await context.em.findOne(User, { emailKey }, { populate: ['passwordHash'] });
    const right = await context.loginThrottle.attempt(user ?? { emailKey }, context.address, () =>
      verifyPassword(password, user?.passwordHash ?? null),
    );
    if (!user || !right) throw new Refusal(new InvalidCredentialsError());
    const { id, passwordHash } = user;
    const tokens = await context.sessions.open(context.em, user, passwordHash);
    if (!tokens) throw new Refusal(new InvalidCredentialsError()); // the password was changed meanwhile
    if (await needsRehash(password, passwordHash)) {
      const renewed = await hashPassword(password);
      await context.em.nativeUpdate(User, { id, passwordHash }, { passwordHash: renewed });
    }
    return signIn(context, user, tokens);
  }

  @Extensions({ ignoresToken: true })
  @Mutation(() => AuthPayload, {
    nullable: true,
    description:
      'Trades a refresh token for a new pair. For 10 seconds a call from the same IP address gets the same refresh token again, with a new access token. Later use of that token ends the whole session, and so does a year since signing in.',
  })
  async refreshSession(
    @Arg('input', () => RefreshSessionInput, { description: 'The session.' }) input: RefreshSessionInput,
    @Ctx() context: Context,
  ): Promise<AuthPayload> {
    const tokens = await context.sessions.refresh(context.em, input.refreshToken, context.address);
    if (!tokens) throw new Refusal(new InvalidCredentialsError(['input', 'refreshToken']));
    return signIn(context, context.em.getReference(User, tokens.userId), tokens);
  }

  @Authorized()
  @Mutation(() => LogoutPayload, {
    nullable: true,
    description:
      'Ends this session, or with `everywhere` every session of the viewer. The tokens stop working at once.',
  })
  async logout(
    @Arg('input', () => LogoutInput, { nullable: true, description: 'How far; this session unless given.' })
    input: LogoutInput | null,
    @Ctx() context: SignedInContext,
  ): Promise<LogoutPayload> {
    const { em, sessions, viewer, session } = context;
    await (input?.everywhere ? sessions.endAll(em, viewer) : sessions.end(em, session));
    signOut(context);
    return { ok: true };
  }
}

/** Makes the user the viewer for the rest of the request, so that the payload can contain their feed and flags. */
function signIn(context: Context, user: User, { session, ...tokens }: SignInTokens): AuthPayload {
  context.viewer = { id: user.id };
  context.session = session;
  context.tokenError = null;
  return { viewer: user, ...tokens };
}

export function signOut(context: Context): void {
  context.viewer = null;
  context.session = null;
}
