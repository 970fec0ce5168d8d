/** The provider says "out of money" with several statuses; its words are the only common sign. */
const CREDIT_STATUSES = new Set([400, 402, 403]);

/** OpenAI and OpenRouter: 402, or a 429 that no waiting helps. */
export const isDialectCreditProblem = (status: number, message: string): boolean =>
  status === 402 || (status === 429 && /insufficient_quota|billing_hard_limit/.test(message));

export const isCreditProblem = (status: number, message: string): boolean =>
  CREDIT_STATUSES.has(status) && (status === 402 || /credit balance|billing|purchase credits/i.test(message));
