/** Where `npm start` serves on this port. The pictures of seeded people are faces that the server draws. */
export const serverAt = (port: number): string => `http://localhost:${port || USUAL_PORT}`;

const USUAL_PORT = 4000;

export const USUAL_SERVER = serverAt(USUAL_PORT);
