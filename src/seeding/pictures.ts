/** The address of a server on this port, which draws the pictures of seeded people. For port 0, which is any, the usual one. */
export const serverAt = (port: number): string => `http://localhost:${port || USUAL_PORT}`;

const USUAL_PORT = 4000;

export const USUAL_SERVER = serverAt(USUAL_PORT);
