export const addDemoBlog = async (_: unknown) => ({});
