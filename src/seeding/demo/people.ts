export const DEMO_ACCOUNT = 'johndoe@conduit.example';
