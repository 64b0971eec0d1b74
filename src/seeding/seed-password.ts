/** Every account that the seed makes has this password. */
export const PASSWORD = 'password123';

/** argon2id of it, with a salt that is always the same: the seed makes the same rows on every machine. */
export const PASSWORD_HASH =
  '$argon2id$v=19$m=19456,t=2,p=1$Y29uZHVpdCBkZW1vIGJsb2c$IotAxnMZDX/Kj1RWn/LL+tT8aC6Cml8bFMuRmM+hcq0';
