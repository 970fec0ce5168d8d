/** The thread that every session starts with; the protocol's constant lives beside schemas that a browser does not load. */
export const MAIN_THREAD_NAME = "main";
