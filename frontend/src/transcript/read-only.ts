import { createContext } from "react";

/** True in a shared view: nothing leads to a panel that is not there. */
export const ReadOnlyContext = createContext(false);
