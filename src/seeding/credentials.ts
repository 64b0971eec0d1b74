/** The account to sign in to the demo blog with. */
export const DEMO_EMAIL = 'johndoe@conduit.example';

/** The password of every seeded account. */
export const PASSWORD = 'password123';

/** Its argon2id hash with a fixed salt, so that the seed writes the same rows on every machine. */
export const PASSWORD_HASH =
  '$argon2id$v=19$m=19456,t=2,p=1$Y29uZHVpdCBkZW1vIGJsb2c$IotAxnMZDX/Kj1RWn/LL+tT8aC6Cml8bFMuRmM+hcq0';
