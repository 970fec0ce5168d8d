/** Where sessions wait that take any of the operator's machines: one well-known object, beside the machines' own. */
import type { MachineDO } from "./machine-do.ts";

/** No machine id looks like this. */
const WAITING_ROOM = "waiting-room";

export const waitingRoom = (env: Env): DurableObjectStub<MachineDO> => env.MACHINE.getByName(WAITING_ROOM);
