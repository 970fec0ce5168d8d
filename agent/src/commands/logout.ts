/** `logout`: signs this computer out, here and at the server. What runs here for it is ended by the process that is connected. */
import * as z from "zod";
import { removeLogin } from "../machine/login-store.ts";
import { listPins, removePin, signingDir } from "../machine/pins/pin-store.ts";
import { ask } from "../machine/platform-api.ts";
import { serverDir } from "../machine/server-dir.ts";
import { answer, remark } from "../output.ts";
import { defineCommand } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { DATA_OPTION, dataDirOf, JSON_OPTION, requireLogin, SERVER_OPTION, toError } from "./signed-in.ts";

export const logout = defineCommand({
  name: "logout",
  summary: "sign this computer out, and forget its token",
  options: {
    server: SERVER_OPTION,
    force: { type: "boolean", summary: "forget the token here also when the server cannot be reached" },
    data: DATA_OPTION,
    json: JSON_OPTION,
  },
  run: async ({ server, force, data, json }) => {
    const dataDir = dataDirOf(data);
    const login = requireLogin(server, dataDir);
    const told = await ask(login.server, "/machine/logout", { token: login.token, body: {}, schema: z.undefined() });
    const isOver = told.ok || told.code === "machine_token_refused";
    if (!isOver && !force) throw toError(told, login.server);
    removeLogin(dataDir, login.server);
    const signing = signingDir(serverDir(dataDir, login.server));
    for (const { keyId } of listPins(signing)) removePin(signing, keyId);
    if (json) answer(JSON.stringify({ ok: true, server: login.server, isRevoked: isOver }));
    else answer(`Signed out of ${login.server}.`);
    if (!isOver) remark(`The server was not told: remove this computer in the browser, at ${login.server}/settings/machines`);
    return EXIT.ok;
  },
});
