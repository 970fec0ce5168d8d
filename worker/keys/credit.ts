/** The provider says "out of money" with several statuses; its words are the only common sign. */
const CREDIT_STATUSES = new Set([400, 402, 403]);

export const isCreditProblem = (status: number, message: string): boolean =>
  CREDIT_STATUSES.has(status) && (status === 402 || /credit balance|billing|purchase credits/i.test(message));
