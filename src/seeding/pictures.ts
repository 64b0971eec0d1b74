/** The address of a server on this port, whose faces the seeded people have. Port 0 means any, so the usual one stands for it. */
export const serverAt = (port: number): string => `http://localhost:${port || USUAL_PORT}`;

const USUAL_PORT = 4000;

export const USUAL_SERVER = serverAt(USUAL_PORT);
